#include "region/network/piecewise_linear.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "support/folded_functions.h"

namespace asap::test {
namespace {

/// The network in float, neuron by neuron.
float evaluate_in_float(const region::ReluNetwork& network, float x) {
  std::vector<float> values{x};
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const region::DenseLayer& layer = network.layers[l];
    std::vector<float> next;
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      float sum = static_cast<float>(layer.bias[static_cast<std::size_t>(k)]);
      for (std::int64_t j = 0; j < layer.inputs(); ++j)
        sum += static_cast<float>(layer.w(k, j)) * values[static_cast<std::size_t>(j)];
      next.push_back(l + 1 < network.layers.size() ? std::max(sum, 0.0F) : sum);
    }
    values = next;
  }
  return values.front();
}

TEST_CASE("the pieces of a network are its linear regions") {
  const region::FoldedFunction function = random_function(3, 2, 2, 4);
  const region::ReluNetwork network = region::to_network(function);
  const region::PiecewiseLinear pieces = region::pieces_of(network, function.interval());
  CHECK(pieces.pieces() == 16);
  for (int i = 0; i <= 1000; ++i) {
    const double x = function.interval().at(i / 1000.0);
    CHECK(pieces(x) == doctest::Approx(network(x)).epsilon(1e-11));
  }
  const double x = pieces.x[2], next = pieces.x[3];
  CHECK(pieces.slope(2) * x + pieces.intercept(2) == doctest::Approx(network(x)));
  CHECK(pieces.slope(2) * next + pieces.intercept(2) == doctest::Approx(network(next)));
  // The end pieces continue.
  const double right = pieces.x.back();
  CHECK(pieces(right + 1) == doctest::Approx(pieces.y.back() + pieces.slope(15)));
}

TEST_CASE("no evaluation leaves the pieces by more than the bound") {
  for (std::uint32_t stream = 0; stream < 6; ++stream) {
    const region::FoldedFunction function = random_function(4, 2, stream < 3 ? 1 : 4, stream);
    const region::ReluNetwork network = region::to_network(function);
    const region::PiecewiseLinear pieces = region::pieces_of(network, function.interval());
    const double bound = region::largest_deviation(network, pieces);
    const double float_bound =
        region::largest_deviation(network, pieces, region::Rounding::of_float());
    double most = 0, float_most = 0;
    for (int i = 0; i <= 20'000; ++i) {
      const double x = static_cast<float>(function.interval().at(i / 20'000.0));
      if (x < pieces.x.front() || x > pieces.x.back()) continue;
      most = std::max(most, std::abs(network(x) - pieces(x)));
      float_most = std::max(
          float_most, std::abs(evaluate_in_float(network, static_cast<float>(x)) - pieces(x)));
    }
    CHECK(most <= bound);
    CHECK(float_most <= float_bound);
    // The bound adds up worst cases of every operation: slopes of (2 / .3)^4 times some sixty of
    // them per neuron.
    CHECK(bound < 1e-9);
    CHECK(float_bound < 1);
    CHECK(float_bound < 1000 * float_most);
  }
}

TEST_CASE("a wrong line or a hidden corner shows in the bound") {
  const region::FoldedFunction function = random_function(3, 2, 1, 2);
  const region::ReluNetwork network = region::to_network(function);
  region::PiecewiseLinear pieces = region::pieces_of(network, function.interval());
  region::PiecewiseLinear moved = pieces;
  moved.y[3] += 1e-3;
  CHECK(region::largest_deviation(network, moved) == doctest::Approx(1e-3));
  const double x = pieces.x[3], y = pieces.y[3];
  pieces.x.erase(pieces.x.begin() + 3);
  pieces.y.erase(pieces.y.begin() + 3);
  CHECK(region::largest_deviation(network, pieces) ==
        doctest::Approx(std::abs(pieces(x) - y)).epsilon(2e-4));
}

}  // namespace
}  // namespace asap::test
