#include "region/target/target.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_message.h"

namespace asap::test {
namespace {

TEST_CASE("a function that is not finite on the interval is refused with the x") {
  CHECK(contains(message_of([] {
                   region::function_target("log(x)", {0, 1});
                 }),
                 "infinite at x = 0"));
  CHECK(contains(message_of([] {
                   region::function_target("sqrt(x)", {-1, 1});
                 }),
                 "not a number at x = -1"));
  CHECK_THROWS_AS(region::function_target("1/x", {-1, 1}), base::NumericalError);
  CHECK_THROWS_AS(region::function_target("x", {1, 1}), base::UsageError);
  CHECK_THROWS_AS(region::function_target("x", {2, 1}), base::UsageError);
  CHECK_THROWS_AS(region::function_target("x", {0, std::nan("")}), base::UsageError);
  CHECK_THROWS_AS(region::function_target("x", {0, 1}, 3), base::UsageError);
  CHECK_THROWS_AS(region::paper_target("x4"), base::UsageError);
  CHECK_THROWS_AS(
      region::data_target("p", {{1e9, 1e9 + 0.2, 1e9 + 0.5, 1e9 + 0.7}, {1, 2, 0, 1}, {}}),
      base::DataError);
}

TEST_CASE("what is too large or too small to be squared is refused, but not what is almost") {
  CHECK_THROWS_AS(region::function_target("1e160*x", {0, 1}), base::DataError);
  CHECK_THROWS_AS(region::function_target("x", {0, 1e-160}), base::DataError);
  CHECK_NOTHROW(region::function_target("1e149*x", {0, 1}));
  CHECK_THROWS_AS(region::data_target("p", {{1, 2, 3, 4}, {1e155, 2, 0, 1}, {}}), base::DataError);
  CHECK_NOTHROW(region::data_target("p", {{1, 2, 3, 4}, {1e149, 2, 0, 1}, {}}));
}

TEST_CASE("smooth points and points with a corner are not taken for noisy") {
  for (const char* formula : {"x^11", "abs(x-0.3)", "sqrt(x)", "sin(20*x)", "3"}) {
    const region::Target function = region::function_target(formula, {0, 1});
    CHECK(region::points_target(formula, function.samples).noise_variance == 0);
  }
}

}  // namespace
}  // namespace asap::test
