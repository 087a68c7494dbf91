#include "region/fit/tolerance.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/random.h"
#include "support/share.h"

namespace asap::test {
namespace {

TEST_CASE("a tolerance is met by a smaller network when it is larger") {
  const region::Target target = region::function_target("sin(x)", {0, 2 * std::numbers::pi});
  std::int64_t parameters = 1'000'000;
  for (const double tolerance : {test::in_full() ? 1e-3 : 1e-2, 1e-1}) {
    const region::ToleranceResult result = region::fit_to_tolerance(target, tolerance, {});
    const region::Samples dense = region::even_samples(target.truth, target.interval, 100'003);
    std::vector<double> values(dense.x.size());
    result.fit.network.evaluate(dense.x, values);
    CHECK(region::max_error(dense, {}, values) <= tolerance);
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

TEST_CASE("noisy points take hardly more pieces than the fewest, however small the tolerance") {
  base::RandomStream random(3, base::RandomPurpose::test);
  region::Samples points;
  for (int i = 0; i < 60; ++i) {
    points.x.push_back(i / 59.0);
    points.y.push_back(std::sin(6 * points.x.back()) + 0.1 * random.normal());
  }
  const region::Target target = region::data_target("points", points);
  for (const double tolerance : {1e-3, 1e-9}) {
    const region::ToleranceResult result = region::fit_to_tolerance(target, tolerance, {});
    CHECK(result.max_error <= tolerance);
    // Near rounding the fewest are not known; a piece between any two points does.
    const int pieces = result.fewest_pieces > 0 ? result.fewest_pieces + 3 : 59;
    CHECK(result.fit.network.parameter_count() <= 3 * pieces + 1);
  }
}

TEST_CASE("points of equal x are all within the tolerance, with the fewest pieces, or refused") {
  // Two points at every x, one apart; their means zigzag by .4.
  region::Samples points;
  for (int i = 0; i < 12; ++i)
    for (const double away : {-0.5, 0.5}) {
      points.x.push_back(i);
      points.y.push_back(0.2 * (i % 2) + away + (i % 3 == 0 ? 0.3 * away : 0));
    }
  const region::Target target = region::data_target("points", points);
  CHECK_THROWS_WITH_AS(region::fit_to_tolerance(target, 0.6, {}), doctest::Contains("x = 0"),
                       base::UsageError);
  const region::ToleranceResult result = region::fit_to_tolerance(target, 0.8, {});
  std::vector<double> values(points.x.size());
  result.fit.network.evaluate(points.x, values);
  double largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    largest = std::max(largest, std::abs(values[i] - points.y[i]));
  CHECK(largest <= 0.8);
  CHECK(result.max_error == doctest::Approx(largest).epsilon(1e-9));
  CHECK(result.fewest_pieces == 1);  // the line y = .1 is .75 away at most
}

}  // namespace
}  // namespace asap::test
