#include "region/fit/weights_model.h"

#include <cmath>

#include <doctest/doctest.h>

#include "support/drawn_rows.h"

namespace asap::test {
namespace {

TEST_CASE("a model of blocks is its block-diagonal network, zeros and all") {
  const region::Rows rows = drawn("x+y", 13, 0).rows;
  const region::NetworkShape shape{2, 3, {4, 2, 5}};
  region::WeightsModel model(rows, shape);
  base::RandomStream random(2, base::RandomPurpose::test);
  std::vector<double> parameters;
  for (std::int64_t p = 0; p < model.parameter_count(); ++p) parameters.push_back(random.normal());
  CHECK(model.parameter_count() == 3 * (4 * 3 + 2 * 5 + 5 * 3) + 16);
  const region::ReluNetwork network = model.network(parameters);
  CHECK(network.nonzero_count() == model.parameter_count());
  CHECK(region::WeightsModel::parameters_of(network, 3) == parameters);
  std::vector<double> residuals(static_cast<std::size_t>(model.residual_count()));
  model.evaluate(parameters, residuals);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const double value = naive(network, {rows.x[2 * i], rows.x[2 * i + 1]});
    const auto at = static_cast<std::size_t>(i);
    CHECK(residuals[at] == doctest::Approx((value - rows.y[at]) / std::sqrt(13.0)));
  }
}

TEST_CASE("asymmetric initialisation has one weight or bias of Beta(2, 1) in every neuron") {
  const region::NetworkShape shape = region::NetworkShape::uniform(2, 400);
  base::RandomStream random(3, base::RandomPurpose::test);
  const std::vector<double> parameters = region::asymmetric_parameters(shape, random);
  REQUIRE(static_cast<std::int64_t>(parameters.size()) == shape.parameter_count());
  // Layer one: one weight and one bias; one of them is N(0, 0.6007²), the other Beta(2, 1) with
  // mean 2/3. So both have mean 1/3 and second moment (0.6007² + 1/2) / 2.
  for (std::size_t which = 0; which < 2; ++which) {
    double mean = 0, square = 0;
    for (std::size_t k = 0; k < 400; ++k) {
      mean += parameters[2 * k + which] / 400;
      square += std::pow(parameters[2 * k + which], 2) / 400;
    }
    // Five deviations of a mean of 400 numbers of spread 0.57 and squares of spread 0.5.
    CHECK(std::abs(mean - 1.0 / 3) < 0.15);
    CHECK(std::abs(square - (0.6007 * 0.6007 + 0.5) / 2) < 0.13);
  }
  // Layer two: 401 numbers of 0.03 and one of Beta(2, 1), which is larger nearly always.
  int large = 0;
  for (std::size_t k = 0; k < 400; ++k) {
    int outliers = 0;
    for (std::size_t j = 0; j <= 400; ++j)
      outliers += std::abs(parameters[800 + k * 401 + j]) > 0.15;
    CHECK(outliers <= 1);
    large += outliers;
  }
  CHECK(large > 370);  // 391 on average: Beta(2, 1) is below .15 with probability .0225
}

}  // namespace
}  // namespace asap::test
