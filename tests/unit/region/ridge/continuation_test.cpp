#include "region/ridge/continuation.h"

#include <cmath>

#include <doctest/doctest.h>

#include "region/family/folded_function.h"
#include "support/drawn_rows.h"
#include "support/folded_functions.h"

namespace asap::test {
namespace {

TEST_CASE("the end pieces of a folded network continue, and nothing changes on the rows") {
  for (std::uint32_t stream = 0; stream < 4; ++stream) {
    const region::FoldedFunction function = random_function(4, stream % 2 == 0 ? 2 : 3, 1, stream);
    const region::ReluNetwork network = region::to_network(function);
    const numerics::Interval interval = function.interval();
    tensor::Tensor<double> rows({2000, 1});
    for (int i = 0; i < 2000; ++i) rows[i] = interval.at((i + 0.5) / 2000);
    const region::ReluNetwork continued = region::continue_end_pieces(network, rows.rows(), 5);
    for (int i = 0; i < 2000; ++i)
      CHECK(continued(rows[i]) == doctest::Approx(network(rows[i])).epsilon(1e-9));
    // The slope at both ends goes on for five lengths.
    const double step = 1e-3 * interval.length();
    for (const double end : {interval.low, interval.high}) {
      const double inwards = end == interval.low ? step : -step;
      const double slope = (network(end + inwards) - network(end)) / inwards;
      for (const double part : {0.1, 1.0, 4.5}) {
        const double outside = end - inwards * 1e3 * part;
        CHECK(continued(outside) ==
              doctest::Approx(network(end) + slope * (outside - end)).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("a neuron that no row activates is removed") {
  region::ReluNetwork network;
  region::DenseLayer first(2, 2), output(1, 2);
  first.w(0, 0) = first.w(1, 1) = 1;
  first.bias = {0, -5};
  output.w(0, 0) = output.w(0, 1) = 1;
  network.layers = {first, output};
  const region::Rows rows = drawn("x", 100, 0).rows;  // on [-1, 1]^2
  const region::ReluNetwork continued = region::continue_end_pieces(network, rows.x.rows());
  CHECK(naive(network, {1, 10}) == 6);
  CHECK(naive(continued, {1, 10}) == 1);
  CHECK(naive(continued, {-3, 0}) == 0);  // a corner among the rows stays
}

}  // namespace
}  // namespace asap::test
