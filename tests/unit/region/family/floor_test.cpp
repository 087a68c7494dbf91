#include "region/family/floor.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/error.h"

namespace asap::test {
namespace {

TEST_CASE("the free-knot floor of a parabola is 4 / (720 pieces^4)") {
  for (const int pieces : {1, 2, 8, 32}) {
    const region::FreeKnotFloor floor =
        region::free_knot_floor([](double x) { return x * x; }, {0, 1}, pieces);
    const double exact = 4 / (720 * std::pow(pieces, 4));
    CHECK(floor.asymptotic == doctest::Approx(exact).epsilon(1e-3));
    // 64 samples a piece stand for the integral.
    CHECK(floor.refined == doctest::Approx(exact).epsilon(5e-3));
  }
}

TEST_CASE("refined floors of x^3 and x^11 with 32 pieces are within four per cent of the formula") {
  for (const int power : {3, 11}) {
    const numerics::Curve f = [power](double x) { return std::pow(x, power); };
    const region::FreeKnotFloor floor = region::free_knot_floor(f, {0, 1}, 32);
    CHECK(std::abs(floor.refined / floor.asymptotic - 1) < 0.04);
    CHECK(floor.knots.size() == 33);
  }
  CHECK_THROWS_AS(region::free_knot_floor([](double x) { return x; }, {0, 1}, 0), base::UsageError);
}

TEST_CASE("a corner is found exactly: the floor of |x| with two pieces is zero") {
  const region::FreeKnotFloor floor =
      region::free_knot_floor([](double x) { return std::abs(x); }, {-1, 1}, 2);
  CHECK(floor.refined < 1e-20);
  CHECK(std::abs(floor.knots[1]) < 1e-8);
}

TEST_CASE("floors of points are those of the points, and zero for a piece between any two") {
  region::Samples samples;
  for (int i = 0; i < 15; ++i) {
    samples.x.push_back(i);
    samples.y.push_back(i < 6 ? 5 + 2 * i : 15 + 13.9 * (i - 5));
  }
  CHECK(region::free_knot_floor(samples, 2).refined < 1e-24);
  CHECK(region::free_knot_floor(samples, 1).refined > 1);
  CHECK(std::isnan(region::free_knot_floor(samples, 2).asymptotic));
  for (double& y : samples.y) y += std::cos(y);
  CHECK(region::free_knot_floor(samples, 14).refined == 0);
  CHECK(region::free_knot_floor(samples, 13).refined >= 0);
}

}  // namespace
}  // namespace asap::test
