#include "region/fit/points_shape.h"

#include <cmath>

#include <doctest/doctest.h>

#include "region/fit/windowed_fit.h"
#include "region/network/region_count.h"
#include "region/target/target.h"

namespace asap::test {
namespace {

region::Samples rounded(double (*f)(double), int count, double step, double unit) {
  region::Samples samples;
  for (int i = 0; i < count; ++i) {
    samples.x.push_back(step * i);
    const double y = f(samples.x.back());
    samples.y.push_back(unit > 0 ? std::round(y / unit) * unit : y);
  }
  return samples;
}

TEST_CASE("the shape of points is seen through the rounding of their file") {
  for (const double unit : {0.0, 1e-6, 1e-3, 0.1}) {
    const region::Shape exponential =
        region::shape_of(rounded([](double x) { return std::exp(x); }, 301, 0.01, unit));
    CHECK((exponential.convex && exponential.increasing && !exponential.concave));
    const region::Shape root =
        region::shape_of(rounded([](double x) { return -std::sqrt(x); }, 100, 0.3, unit));
    CHECK((root.convex && root.decreasing && !root.concave));
    const region::Shape sine =
        region::shape_of(rounded([](double x) { return std::sin(x); }, 100, 0.06, unit));
    CHECK_FALSE((sine.convex || sine.concave || sine.monotone()));
  }
  // In any unit.
  for (const double unit : {1e-12, 1e-9, 1e-3, 1e6}) {
    region::Samples sine = rounded([](double x) { return std::sin(x); }, 100, 0.06, 0);
    for (double& y : sine.y) y *= unit;
    const region::Shape shape = region::shape_of(sine);
    CHECK_FALSE((shape.convex || shape.concave || shape.monotone()));
  }
  const region::Shape level = region::shape_of(rounded([](double) { return 3.5; }, 20, 1, 0));
  CHECK((level.convex && level.concave && level.increasing && level.decreasing));
}

TEST_CASE("fits of points keep the shape of the points in their exact slopes") {
  const region::Samples cases[] = {
      rounded([](double x) { return std::max(x, 3 * x - 7.4); }, 101, 0.1, 0),
      rounded([](double x) { return std::exp(x); }, 301, 0.01, 1e-3),
      rounded([](double x) { return std::log1p(x); }, 200, 0.05, 1e-4),
      rounded([](double) { return -2.0; }, 20, 1, 0),
      rounded([](double x) { return 5 - x; }, 30, 1, 0)};
  for (const region::Samples& samples : cases) {
    const region::Fit fit = region::shape_fit(region::points_target("points", samples), 5, 8);
    const region::FunctionShape shape =
        region::shape_of(region::count_regions(fit.network, {samples.x.front(), samples.x.back()}));
    const region::Shape wanted = region::shape_of(samples);
    CHECK(shape.convex == wanted.convex);
    CHECK(shape.concave == wanted.concave);
    CHECK(shape.increasing == wanted.increasing);
    CHECK(shape.decreasing == wanted.decreasing);
    std::vector<double> prediction(samples.x.size());
    fit.network.evaluate(samples.x, prediction);
    CHECK(region::mean_squared_error(samples, prediction) < 1e-6);
  }
}

}  // namespace
}  // namespace asap::test
