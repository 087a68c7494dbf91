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

}  // namespace
}  // namespace asap::test
