#include "region/fit/windowed_fit.h"

#include <numbers>

#include <doctest/doctest.h>

#include "unit/region/fit/fit_targets.h"

namespace asap::test {
namespace {

TEST_CASE("units of x and y do not matter to a fit") {
  const region::Fit plain = region::windowed_fit(region::function_target("x^3", {0, 1}), 4, 2, 3);
  const region::Fit scaled =
      region::windowed_fit(region::function_target("1000*((x+5)/20)^3 - 7", {-5, 15}), 4, 2, 3);
  for (const double u : {0.0, 0.2, 0.5, 0.9, 1.0})
    // Rounding, through least squares with a ridge of 1e-11.
    CHECK(scaled.network(-5 + 20 * u) ==
          doctest::Approx(1000 * plain.network(u) - 7).epsilon(1e-9));
}

TEST_CASE("the difference of two convex networks fits what bends both ways") {
  const region::Target target = region::function_target("sin(x)", {0, 2 * std::numbers::pi});
  region::FitOptions options;
  options.method = region::Method::smooth;
  const region::Fit fit = region::difference_fit(target, options);
  CHECK(fit.network.parameter_count() == 313);
  // Measured 1.0e-5, against 2.2e-4 for one network of width 4 by the same method.
  CHECK(dense_error(target, fit.network) < 3e-5);
  CHECK(dense_error(target, region::fit_network(target, options).network) > 1e-4);
}

}  // namespace
}  // namespace asap::test
