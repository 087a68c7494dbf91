// Jacobians of the region fits against central differences. Differences with step h are off by
// h^2 f''' / 6 + rounding / h: with h = 1e-6 and values near one about 1e-10; 1e-7 leaves room for
// the curvature of the smoothed ReLU.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "numerics/levenberg_marquardt.h"
#include "region/network/samples.h"

namespace asap::test {

constexpr double kStep = 1e-6;
constexpr double kTolerance = 1e-7;

inline region::Samples some_samples(std::int64_t count) {
  base::RandomStream random(3, base::RandomPurpose::test);
  region::Samples samples;
  for (std::int64_t i = 0; i < count; ++i) {
    // Irrational points keep away from the corners of the functions under test.
    samples.x.push_back((static_cast<double>(i) + std::sqrt(0.5)) / static_cast<double>(count));
    samples.y.push_back(random.normal());
    samples.weight.push_back(random.uniform(0.5, 2.0));
  }
  return samples;
}

inline double largest_difference(numerics::LeastSquaresModel& model,
                                 std::vector<double> parameters) {
  const std::int64_t rows = model.parameter_count(), columns = model.residual_count();
  tensor::Tensor<double> j({rows, columns}), high({columns}), low({columns});
  model.evaluate(parameters, high.flat());
  model.jacobian(j.rows());
  double largest = 0;
  for (std::int64_t p = 0; p < rows; ++p) {
    const double kept = parameters[p];
    parameters[p] = kept + kStep;
    model.evaluate(parameters, high.flat());
    parameters[p] = kept - kStep;
    model.evaluate(parameters, low.flat());
    parameters[p] = kept;
    for (std::int64_t i = 0; i < columns; ++i)
      largest = std::max(largest, std::abs((high[i] - low[i]) / (2 * kStep) - j.rows()(p, i)));
  }
  return largest;
}

inline std::vector<double> random_vector(std::int64_t size, double scale, std::uint32_t stream) {
  base::RandomStream random(5, base::RandomPurpose::test, stream);
  std::vector<double> values;
  for (std::int64_t i = 0; i < size; ++i) values.push_back(scale * random.normal());
  return values;
}

inline region::Rows some_rows(std::int64_t count, std::int64_t inputs) {
  base::RandomStream random(6, base::RandomPurpose::test);
  region::Rows rows{tensor::Tensor<double>({count, inputs}), {}};
  for (double& value : rows.x.flat()) value = random.normal();
  for (std::int64_t i = 0; i < count; ++i) rows.y.push_back(random.normal());
  return rows;
}

}  // namespace asap::test
