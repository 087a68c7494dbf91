#include "region/ridge/continuation.h"

#include <algorithm>
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

TEST_CASE("corners that only a few rows see are removed when these may be spared") {
  region::ReluNetwork network;
  region::DenseLayer first(3, 2), output(1, 3);
  // x where it is above -2, a corner at x = .94, and one that all rows but a few are beyond.
  first.w(0, 0) = first.w(1, 0) = first.w(2, 0) = 1;
  first.bias = {2, -0.94, 0.94};
  output.w(0, 0) = 1;
  output.w(0, 1) = 7;
  output.w(0, 2) = 5;
  network.layers = {first, output};
  const region::Rows rows = drawn("x", 200, 0).rows;  // on [-1, 1]^2
  int beyond = 0, below = 0;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    beyond += rows.row(i)[0] > 0.94;
    below += rows.row(i)[0] < -0.94;
  }
  REQUIRE(std::max(beyond, below) <= 12);
  REQUIRE(std::min(beyond, below) >= 1);
  const auto slope = [](const region::ReluNetwork& of, double at) {
    return (naive(of, {at + 0.001, 0}) - naive(of, {at - 0.001, 0})) / 0.002;
  };
  const region::ReluNetwork kept = region::continue_end_pieces(network, rows.x.rows(), 0),
                            straight = region::continue_end_pieces(network, rows.x.rows(), 1, 12);
  CHECK(slope(kept, 0.97) == doctest::Approx(13));
  CHECK(slope(kept, -0.97) == doctest::Approx(1));
  for (const double at : {-0.97, 0.0, 0.97}) CHECK(slope(straight, at) == doctest::Approx(6));
}

}  // namespace
}  // namespace asap::test
