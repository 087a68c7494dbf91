#include "region/fit/pieces_within.h"

#include <cmath>

#include <doctest/doctest.h>

namespace asap::test {
namespace {

TEST_CASE("the fewest pieces within a tolerance, proved, with singularities and narrow peaks") {
  struct Case {
    const char* formula;
    numerics::Interval interval;
    double tolerance;
    int pieces;  ///< that are known to be enough
  };
  // tanh and x^3: minimax networks found by linear programming have 79 and 136 parameters.
  const Case cases[] = {{"tanh(3*x)", {-1, 1}, 1e-3, 26},
                        {"x^3", {0, 1}, 1e-4, 45},
                        {"sqrt(x)", {0, 1}, 1e-3, 16},
                        {"x^0.3", {0, 1}, 1e-2, 8},
                        {"exp(-((x-0.3)/1e-3)^2)", {0, 1}, 1e-2, 11},
                        {"sin(1/(x+0.01))", {0, 1}, 0.1, 64},
                        {"abs(x-0.3)", {0, 1}, 1e-6, 2},
                        {"2*x+1", {0, 1}, 1e-6, 1}};
  for (const Case& test : cases) {
    CAPTURE(test.formula);
    const region::Target target = region::function_target(test.formula, test.interval);
    const region::Expression formula(target.formula);
    const auto within = region::pieces_within(target, &formula, test.tolerance, 1000);
    REQUIRE(within);
    CHECK(within->function.pieces() <= test.pieces);
    CHECK(within->function.pieces() <= within->fewest + 1);
    CHECK(within->max_error <= test.tolerance);
    CHECK_FALSE(region::pieces_within(target, &formula, test.tolerance, within->fewest - 1));
  }
}

TEST_CASE("on points the tolerance holds at the points, noisy ones too") {
  region::Samples samples;
  for (int i = 0; i < 50; ++i) {
    samples.x.push_back(i * i);
    samples.y.push_back((i * 37) % 11);
  }
  const region::Target target = region::points_target("points", samples);
  const auto within = region::pieces_within(target, nullptr, 1.5, 100);
  REQUIRE(within);
  for (std::size_t i = 0; i < 50; ++i)
    CHECK(std::abs(within->function(samples.x[i]) - samples.y[i]) <= 1.5);
  CHECK(within->fewest == within->function.pieces());
}

}  // namespace
}  // namespace asap::test
