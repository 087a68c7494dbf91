#include <cmath>

#include <doctest/doctest.h>

#include "base/error.h"
#include "region/fit/windowed_fit.h"
#include "region/network/region_count.h"
#include "unit/region/fit/fit_targets.h"

namespace asap::test {
namespace {

TEST_CASE("keep-shape fits are convex or concave and monotone by their exact slopes") {
  struct Case {
    const char* formula;
    numerics::Interval interval;
    bool convex, increasing, decreasing;
  };
  const Case cases[] = {
      {"exp(x)", {-1, 2}, true, true, false},       {"exp(-x)", {0, 3}, true, false, true},
      {"sqrt(x+0.01)", {0, 1}, false, true, false}, {"-exp(x)", {0, 1}, false, false, true},
      {"x^2", {-1, 1}, true, false, false},         {"softplus(10*x)", {-1, 1}, true, true, false}};
  for (const Case& c : cases) {
    CAPTURE(c.formula);
    const region::Target target = region::function_target(c.formula, c.interval);
    for (const int windows : {1, 8}) {
      const region::Fit fit = region::shape_fit(target, 4, windows);
      const region::FunctionShape shape =
          region::shape_of(region::count_regions(fit.network, c.interval));
      CHECK(shape.convex == c.convex);
      CHECK(shape.concave == !c.convex);
      CHECK(shape.increasing == c.increasing);
      CHECK(shape.decreasing == c.decreasing);
      double range = 0;
      for (const double y : target.samples.y) range = std::max(range, std::abs(y));
      CHECK(dense_error(target, fit.network) < (windows == 1 ? 1e-3 : 1e-6) * range * range);
    }
  }
  CHECK_THROWS_AS(region::shape_fit(region::function_target("sin(x)", {0, 6}), 4, 4),
                  base::UsageError);
}

TEST_CASE("keep-shape keeps noisy points convex where the plain fit wavers") {
  const region::Target target = noisy_target([](double x) { return x * x; }, 400, 0.05);
  const region::Fit fit = region::shape_fit(target, 5, 8);
  const region::FunctionShape shape =
      region::shape_of(region::count_regions(fit.network, target.interval));
  CHECK(shape.convex);
  CHECK(shape.increasing);
}

}  // namespace
}  // namespace asap::test
