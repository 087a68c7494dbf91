// Jacobians of the region fits against central differences. Differences with step h are off by
// h^2 f''' / 6 + rounding / h: with h = 1e-6 and values near one about 1e-10; 1e-7 leaves room for
// the curvature of the smoothed ReLU.

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "region/family/family_model.h"
#include "region/fit/weights_model.h"
#include "region/ridge/kan_model.h"
#include "region/ridge/ridge_splines.h"

namespace asap {
namespace {

constexpr double kStep = 1e-6;
constexpr double kTolerance = 1e-7;

region::Samples some_samples(std::int64_t count) {
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

double largest_difference(numerics::LeastSquaresModel& model, std::vector<double> parameters) {
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

std::vector<double> random_vector(std::int64_t size, double scale, std::uint32_t stream) {
  base::RandomStream random(5, base::RandomPurpose::test, stream);
  std::vector<double> values;
  for (std::int64_t i = 0; i < size; ++i) values.push_back(scale * random.normal());
  return values;
}

TEST_CASE(
    "the Jacobian of the folded family agrees with finite differences for two and three pieces") {
  for (const int fold : {2, 3, 4}) {
    region::FamilyModel model(some_samples(24), {0, 1}, 4, fold, region::ScaleRule::free);
    CHECK(largest_difference(model, random_vector(model.parameter_count(), 0.3, 1)) < kTolerance);
  }
}

TEST_CASE("the Jacobian of the smooth family agrees with finite differences") {
  for (const int depth : {1, 2, 5}) {
    region::FamilyModel model(some_samples(24), {-1, 2}, depth, 2, region::ScaleRule::smooth);
    std::vector<double> parameters = random_vector(model.parameter_count(), 0.3, 2);
    parameters[parameters.size() - 3] = -1.5;  // the amplitude
    CHECK(largest_difference(model, parameters) < kTolerance);
  }
}

TEST_CASE("the Jacobian of raw weights agrees with finite differences, plain and smoothed") {
  region::WeightsModel model(some_samples(21), {4, 3, 5});
  const std::vector<double> parameters = random_vector(model.parameter_count(), 0.7, 3);
  for (const double tau : {0.0, 1e-2, 0.3}) {
    model.set_smoothing(tau);
    CHECK(largest_difference(model, parameters) < kTolerance);
  }
}

region::TableRows some_rows(std::int64_t count, std::int64_t inputs) {
  base::RandomStream random(6, base::RandomPurpose::test);
  region::TableRows rows{tensor::Tensor<double>({count, inputs}), {}};
  for (double& value : rows.x.flat()) value = random.normal();
  for (std::int64_t i = 0; i < count; ++i) rows.y.push_back(random.normal());
  return rows;
}

TEST_CASE("the Jacobian of blocks of several inputs agrees with finite differences") {
  region::WeightsModel model(some_rows(19, 3), {3, 2, {4, 3}});
  const std::vector<double> parameters = random_vector(model.parameter_count(), 0.7, 7);
  for (const double tau : {0.0, 0.1}) {
    model.set_smoothing(tau);
    CHECK(largest_difference(model, parameters) < kTolerance);
  }
}

TEST_CASE("the Jacobian of ridge splines agrees with finite differences, beyond their ends too") {
  const region::TableRows rows = some_rows(30, 3);
  region::RidgeSum start;
  for (std::uint32_t k = 0; k < 2; ++k)
    start.ridges.push_back({random_vector(3, 1, 20 + k), {-0.8, 0.9}, random_vector(8, 1, 30 + k)});
  region::RidgeModel model(rows, start, 0.3);
  CHECK(largest_difference(model, model.parameters()) < kTolerance);
}

TEST_CASE("the Jacobian of a Kolmogorov-Arnold network agrees with finite differences") {
  const region::TableRows rows = some_rows(20, 3);
  region::KanModel model(rows, {3, {4, 2}, 5});
  CHECK(model.parameter_count() == (12 + 8 + 2) * 9);
  CHECK(largest_difference(model, random_vector(model.parameter_count(), 0.4, 40)) < kTolerance);
}

TEST_CASE("cubic splines sum to one, follow their slopes and go on straight") {
  const numerics::CubicSplines splines({-1, 3}, 6);
  for (const double x : {-2.5, -0.9, -0.3, 0.999, 2.2, 2.9, 7.5}) {
    const numerics::CubicSplinesAt at = splines.at(x), ahead = splines.at(x + 1e-6),
                                   back = splines.at(x - 1e-6);
    double total = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      total += at.value[k];
      // Across the end of a cell the four are others.
      if (ahead.first == back.first)
        CHECK(std::abs((ahead.value[k] - back.value[k]) / 2e-6 - at.slope[k]) < 1e-6);
    }
    CHECK(total == doctest::Approx(1).epsilon(1e-14));
  }
  CHECK(splines.at(9).slope == splines.at(3).slope);
}

TEST_CASE("gradients of the cost are the Jacobian times the residuals") {
  region::WeightsModel weights(some_samples(37), {4, 4});
  region::FamilyModel family(some_samples(37), {0, 1}, 3, 3, region::ScaleRule::free);
  for (numerics::LeastSquaresModel* model : {static_cast<numerics::LeastSquaresModel*>(&weights),
                                             static_cast<numerics::LeastSquaresModel*>(&family)}) {
    const std::int64_t rows = model->parameter_count(), columns = model->residual_count();
    const std::vector<double> parameters = random_vector(rows, 0.5, 4);
    tensor::Tensor<double> j({rows, columns}), residuals({columns}), gradient({rows});
    model->evaluate(parameters, residuals.flat());
    model->jacobian(j.rows());
    model->gradient(residuals.flat(), gradient.flat());
    for (std::int64_t p = 0; p < rows; ++p) {
      double expected = 0;
      for (std::int64_t i = 0; i < columns; ++i) expected += j.rows()(p, i) * residuals[i];
      // Sums of 40 terms near one in different orders.
      CHECK(gradient[p] == doctest::Approx(expected).epsilon(1e-12));
    }
  }
}

TEST_CASE(
    "balancing the neurons leaves the function as it is and makes the largest activation one") {
  region::WeightsModel model(some_samples(40), {4, 4, 4});
  std::vector<double> parameters = random_vector(model.parameter_count(), 1.5, 6);
  const region::ReluNetwork before = model.network(parameters);
  model.balance(parameters);
  const region::ReluNetwork after = model.network(parameters);
  for (const double x : {0.02, 0.3, 0.77, 0.99})
    CHECK(after(x) == doctest::Approx(before(x)).epsilon(1e-12));
  double largest = 0;
  const region::Samples samples = some_samples(40);
  for (const double x : samples.x)
    largest = std::max(largest, after.layers[0].w(0, 0) * x + after.layers[0].bias[0]);
  // A neuron that is never active keeps its weights.
  CHECK((largest <= 0 || largest == doctest::Approx(1.0)));
}

}  // namespace
}  // namespace asap
