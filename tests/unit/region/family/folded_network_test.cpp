#include <cmath>

#include <doctest/doctest.h>

#include "base/error.h"
#include "region/family/folded_function.h"
#include "support/folded_functions.h"

namespace asap::test {
namespace {

TEST_CASE("the network of a folded function computes that function") {
  for (const int fold : {2, 3, 4}) {
    for (const int windows : {1, 2, 5}) {
      for (const int depth : {1, 2, 5}) {
        const region::FoldedFunction function = random_function(depth, fold, windows, 1);
        const region::ReluNetwork network = region::to_network(function);
        CHECK(network.depth() == depth);
        const numerics::Interval interval = function.interval();
        double largest = 0;
        for (int i = 0; i <= 1000; ++i) {
          const double x = interval.at(i / 1000.0);
          largest = std::max(largest, std::abs(network(x) - function(x)));
        }
        // Slopes up to (fold / 0.3)^depth times 1e-16, times the lift of the sum neuron (about
        // ten).
        CHECK(largest < 1e-11);
      }
    }
  }
}

TEST_CASE("the network of a tiny function is as near to it as that of a large one") {
  for (const int windows : {1, 5})
    for (const region::Ends ends : {region::Ends::open, region::Ends::continued})
      for (const double scale : {1e-4, 1e-30, 1e-200}) {
        region::FoldedFunction function = random_function(4, 2, windows, 1);
        for (double& value : function.values) value *= scale;
        for (region::FoldedWindow& window : function.windows)
          for (double& each : window.scales) each *= scale;
        const region::ReluNetwork network = region::to_network(function, ends);
        double largest = 0;
        for (int i = 0; i <= 1000; ++i) {
          const double x = function.interval().at(i / 1000.0);
          largest = std::max(largest, std::abs(network(x) - function(x)));
        }
        // As above: slopes up to (2 / 0.3)^4 times 1e-16, times the lift.
        CHECK(largest < 1e-11 * scale);
      }
}

TEST_CASE("with continued ends the end pieces go on, for at least one length of the interval") {
  for (const int fold : {2, 3, 4}) {
    for (const int windows : {1, 2, 5}) {
      for (const int depth : {1, 2, 4}) {
        const region::FoldedFunction function = random_function(depth, fold, windows, 1);
        const region::ReluNetwork network = region::to_network(function, region::Ends::continued);
        CHECK(network.depth() == depth);
        const numerics::Interval interval = function.interval();
        const double length = interval.length();
        const double first = region::first_slope(function), last = region::last_slope(function);
        // Slopes against differences inside the end pieces.
        const double step = 1e-9 * length;
        CHECK(first ==
              doctest::Approx((function(interval.low + step) - function(interval.low)) / step)
                  .epsilon(1e-4));
        CHECK(last ==
              doctest::Approx((function(interval.high) - function(interval.high - step)) / step)
                  .epsilon(1e-4));
        // Rounding of sums as large as the values one length away.
        const double rounding = 1e-14 * length * (std::abs(first) + std::abs(last)) + 1e-11;
        for (int i = 0; i <= 100; ++i) {
          const double part = i / 100.0, low = interval.low - part * length,
                       high = interval.high + part * length, x = interval.at(part);
          CHECK(std::abs(network(x) - function(x)) < rounding);
          CHECK(std::abs(network(low) - function.values.front() + first * part * length) <
                rounding);
          CHECK(std::abs(network(high) - function.values.back() - last * part * length) < rounding);
        }
      }
    }
  }
}

TEST_CASE("one window of two pieces is the paper's network of width four with 93 parameters") {
  const region::ReluNetwork network = region::to_network(random_function(5, 2, 1, 2));
  CHECK(network.parameter_count() == 93);
  for (std::size_t l = 0; l + 1 < network.layers.size(); ++l)
    CHECK(network.layers[l].outputs() == 4);
  CHECK(
      region::to_network(random_function(5, 2, 1, 2), region::Ends::continued).parameter_count() ==
      93);
  CHECK(region::to_network(random_function(5, 3, 1, 2)).parameter_count() == 93);
  CHECK(
      region::to_network(random_function(5, 3, 1, 2), region::Ends::continued).parameter_count() ==
      93);
  CHECK(region::to_network(random_function(5, 2, 8, 2)).layers.front().outputs() == 17);
}

TEST_CASE("a folded function with a piece of no length is refused") {
  region::FoldedFunction function = random_function(2, 2, 1, 10);
  function.windows[0].pieces[1] = {0.0, 1.0};
  CHECK_THROWS_AS(region::to_network(function), base::NumericalError);
}

}  // namespace
}  // namespace asap::test
