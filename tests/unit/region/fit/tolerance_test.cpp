#include "region/fit/tolerance.h"

#include <numbers>

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/share.h"

namespace asap::test {
namespace {

TEST_CASE("a tolerance is met by a smaller network when it is larger") {
  const region::Target target = region::function_target("sin(x)", {0, 2 * std::numbers::pi});
  std::int64_t parameters = 1'000'000;
  for (const double tolerance : {test::in_full() ? 1e-3 : 1e-2, 1e-1}) {
    const region::ToleranceResult result = region::fit_to_tolerance(target, tolerance, {});
    CHECK(region::max_error(result.fit.network, region::even_samples(target.truth, target.interval,
                                                                     100'003)) <= tolerance);
    CHECK(result.fit.network.parameter_count() < parameters);
    parameters = result.fit.network.parameter_count();
    for (const region::ToleranceTrial& trial : result.trials) {
      CHECK(trial.reached == (trial.max_error <= tolerance));
      if (trial.reached) CHECK(trial.parameters >= parameters);
    }
  }
  CHECK_THROWS_AS(region::fit_to_tolerance(target, 0, {}), base::UsageError);
  CHECK_THROWS_AS(region::fit_to_tolerance(region::function_target("sqrt(x)", {0, 1}), 1e-14, {}),
                  base::NumericalError);
}

}  // namespace
}  // namespace asap::test
