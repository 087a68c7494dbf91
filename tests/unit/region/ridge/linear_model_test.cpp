#include "region/ridge/linear_model.h"

#include <doctest/doctest.h>

#include "region/target/rows.h"
#include "support/drawn_rows.h"

namespace asap::test {
namespace {

TEST_CASE("a plane is found exactly, and its network holds it everywhere") {
  const region::Rows rows = drawn("2*x-3*y+0.5", 50, 0).rows;
  const region::LinearModel model = region::fit_linear(rows);
  CHECK(model.slope[0] == doctest::Approx(2).epsilon(1e-4));
  CHECK(model.slope[1] == doctest::Approx(-3).epsilon(1e-4));
  CHECK(model.height == doctest::Approx(0.5).epsilon(1e-4));
  for (const int depth : {1, 3}) {
    const region::ReluNetwork network = region::linear_network(model, depth);
    CHECK(network.depth() == depth);
    for (const double x : {-1e6, -0.3, 0.0, 2.0, 1e6})
      CHECK(naive(network, {x, 1 - x}) ==
            doctest::Approx(model(std::vector<double>{x, 1 - x})).epsilon(1e-12));
  }
}

TEST_CASE("the sum of two networks is the network of their sum") {
  const region::ReluNetwork a = region::linear_network({{1, 2}, 3}, 2);
  region::ReluNetwork b = region::linear_network({{-1, 0.5}, 1}, 2);
  b.layers[0].bias[0] = 0.25;
  const region::ReluNetwork sum = region::sum_of(a, b);
  for (const double x : {-2.0, -0.1, 0.7, 5.0})
    CHECK(naive(sum, {x, x * x}) ==
          doctest::Approx(naive(a, {x, x * x}) + naive(b, {x, x * x})).epsilon(1e-12));
}

}  // namespace
}  // namespace asap::test
