#include "region/fit/weights_model.h"

#include <doctest/doctest.h>

#include "gradient/jacobian_check.h"
#include "region/family/family_model.h"

namespace asap::test {
namespace {

TEST_CASE("the Jacobian of raw weights agrees with finite differences, plain and smoothed") {
  region::WeightsModel model(some_samples(21), {4, 3, 5});
  const std::vector<double> parameters = random_vector(model.parameter_count(), 0.7, 3);
  for (const double tau : {0.0, 1e-2, 0.3}) {
    model.set_smoothing(tau);
    CHECK(largest_difference(model, parameters) < kTolerance);
  }
}

TEST_CASE("the Jacobian of blocks of several inputs agrees with finite differences") {
  region::WeightsModel model(some_rows(19, 3), {3, 2, {4, 3}});
  const std::vector<double> parameters = random_vector(model.parameter_count(), 0.7, 7);
  for (const double tau : {0.0, 0.1}) {
    model.set_smoothing(tau);
    CHECK(largest_difference(model, parameters) < kTolerance);
  }
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
}  // namespace asap::test
