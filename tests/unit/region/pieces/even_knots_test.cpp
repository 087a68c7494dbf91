#include "region/pieces/even_knots.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "numerics/dense_solvers.h"

namespace asap::test {
namespace {

TEST_CASE("even knots have equal numbers of points between them, and the best values") {
  base::RandomStream random(8, base::RandomPurpose::test);
  region::Samples samples;
  double x = 1e3;
  for (int i = 0; i < 41; ++i) {
    samples.x.push_back(x += random.uniform(0.1, 5));
    samples.y.push_back(50 + random.normal());
    samples.weight.push_back(random.uniform(0.5, 2));
  }
  for (const region::PiecewiseFit& fit : region::even_knots(samples, 8)) {
    const std::vector<double>& knots = fit.function.x;
    const auto columns = static_cast<std::int64_t>(knots.size());
    for (std::size_t k = 0; k < knots.size(); ++k)
      if (40 * k % (knots.size() - 1) == 0)
        CHECK(knots[k] == doctest::Approx(samples.x[40 * k / (knots.size() - 1)]));
    // Hat functions and dense least squares.
    tensor::Tensor<double> a({41, columns}), solution({columns});
    std::vector<double> right;
    for (std::int64_t i = 0; i < 41; ++i) {
      const double root = std::sqrt(samples.weight[i]);
      const auto next = std::upper_bound(knots.begin() + 1, knots.end() - 1, samples.x[i]);
      const auto k = next - knots.begin() - 1;
      const double t = (samples.x[i] - knots[k]) / (knots[k + 1] - knots[k]);
      a.rows()(i, k) = root * (1 - t);
      a.rows()(i, k + 1) = root * t;
      right.push_back(root * samples.y[i]);
    }
    numerics::solve_least_squares(a.rows(), right, solution.flat());
    double cost = 0;
    for (std::int64_t i = 0; i < 41; ++i) {
      double value = -right[i];
      for (std::int64_t k = 0; k < columns; ++k) value += a.rows()(i, k) * solution[k];
      cost += value * value;
    }
    CHECK(fit.mse == doctest::Approx(cost / samples.total_weight()).epsilon(1e-9));
  }
  CHECK(region::even_knots(samples, 8).size() == 8);
  CHECK(region::even_knots(samples, 100).back().function.pieces() <= 40);
}

}  // namespace
}  // namespace asap::test
