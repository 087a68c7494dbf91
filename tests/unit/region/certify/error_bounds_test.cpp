#include "region/certify/error_bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "region/family/folded_function.h"
#include "region/target/formula.h"

namespace asap::test {
namespace {

using region::bound_maximum_error;
using region::Expression;
using region::MaximumErrorBounds;
using region::PiecewiseLinear;

/// The interpolation of a formula at even knots.
PiecewiseLinear interpolation(const numerics::Curve& f, numerics::Interval interval, int pieces) {
  PiecewiseLinear p;
  for (int k = 0; k <= pieces; ++k) {
    p.x.push_back(interval.at(static_cast<double>(k) / pieces));
    p.y.push_back(f(p.x.back()));
  }
  return p;
}

/// The largest error at 1,000,001 even points.
double sampled_error(const numerics::Curve& f, const PiecewiseLinear& p) {
  constexpr int kPoints = 1'000'000;
  double most = 0;
  for (int i = 0; i <= kPoints; ++i) {
    const double x = p.x.front() + (p.x.back() - p.x.front()) * i / kPoints;
    most = std::max(most, std::abs(f(x) - p(x)));
  }
  return most;
}

struct Case {
  const char* formula;
  numerics::Interval interval;
  int pieces;
};

TEST_CASE("the bounds hold the largest error of samples and are as close as requested") {
  for (const Case& c :
       {Case{"sqrt(x)", {0, 1}, 7}, Case{"log(x+1e-3)", {0, 1}, 20}, Case{"x^.3", {0, 1}, 5},
        Case{"1/(x+.01)", {0, 1}, 40}, Case{"exp(-((x-.3)/1e-3)^2)", {0, 1}, 13},
        Case{"sin(1/(x+.01))", {0, 1}, 50}, Case{"tanh(3*x)", {-1, 1}, 8}, Case{"x^3", {0, 1}, 32},
        Case{"x^3", {-2, 1}, 3}, Case{"abs(x-.3)", {-1, 1}, 3}, Case{"min(x, 1-x, .4)", {0, 1}, 3},
        Case{"max(x^2, sin(3*x))", {-2, 2}, 5}, Case{"x<.3 ? x : 1-2*x", {0, 1}, 4},
        Case{"x>=.5 && x<2 || x<.1 ? 1 : x", {0, 1}, 4},
        Case{"sigmoid(50*x)-relu(x)+softplus(x)", {-1, 1}, 6}, Case{"x^x", {0.1, 2}, 4},
        Case{"atan(x)*cosh(x)-asinh(x)", {-2, 2}, 4}}) {
    CAPTURE(std::string(c.formula));
    const numerics::Curve f = region::compile_formula(c.formula);
    const PiecewiseLinear p = interpolation(f, c.interval, c.pieces);
    const MaximumErrorBounds bounds = bound_maximum_error(Expression(c.formula), p);
    const double sampled = sampled_error(f, p);
    CHECK(bounds.certified);
    CHECK(sampled <= bounds.upper);
    CHECK(bounds.upper <= bounds.lower * 1.001 + 1e-14);
    // Samples miss the largest error, but not by much: the steepest function rises by 1e4 * 1e-6
    // between two of them.
    CHECK(bounds.lower <= sampled + 0.01);
    CHECK(bounds.lower <= std::abs(f(bounds.x) - p(bounds.x)) + 1e-15);
    CHECK(bounds.evaluations < 20'000);
  }
}

TEST_CASE("a peak between the points of any grid is found") {
  // Width 1e-8 at an irrational place: 20,001 even points see nothing of it.
  const char* const formula = "exp(-((x-.31830988618)/1e-8)^2)";
  const PiecewiseLinear zero{{0, 1}, {0, 0}};
  const MaximumErrorBounds bounds = bound_maximum_error(Expression(formula), zero);
  CHECK(bounds.certified);
  CHECK(bounds.lower == doctest::Approx(1).epsilon(1e-3));
  CHECK(bounds.x == doctest::Approx(.31830988618).epsilon(1e-8));
}

TEST_CASE("a tolerance stops the search as soon as it is decided") {
  const PiecewiseLinear p = interpolation(region::compile_formula("sqrt(x)"), {0, 1}, 7);
  const Expression f("sqrt(x)");
  const MaximumErrorBounds full = bound_maximum_error(f, p);
  const MaximumErrorBounds accepted = bound_maximum_error(f, p, {.tolerance = 2 * full.upper});
  CHECK(accepted.certified);
  CHECK(accepted.within(2 * full.upper));
  CHECK(accepted.evaluations < full.evaluations);
  const MaximumErrorBounds refused = bound_maximum_error(f, p, {.tolerance = full.lower / 2});
  CHECK(refused.certified);
  CHECK_FALSE(refused.within(full.lower / 2));
  CHECK(refused.evaluations < full.evaluations);
}

TEST_CASE("a constant function met exactly has no error but rounding") {
  const MaximumErrorBounds bounds = bound_maximum_error(Expression("2"), {{0, 1}, {2, 2}});
  CHECK(bounds.certified);
  CHECK(bounds.lower == 0);
  CHECK(bounds.upper < 1e-14);
}

TEST_CASE("what cannot be bounded is not certified") {
  const PiecewiseLinear zero{{0, 1}, {0, 0}};
  for (const char* const formula : {"atan2(x, 1)", "1/(x-.3)", "log(x)"}) {
    CAPTURE(std::string(formula));
    const MaximumErrorBounds bounds =
        bound_maximum_error(Expression(formula), zero, {.evaluations = 5000});
    CHECK_FALSE(bounds.certified);
    CHECK(bounds.upper == std::numeric_limits<double>::infinity());
  }
}

TEST_CASE("a jump of the pieces is bounded from both sides") {
  const PiecewiseLinear p{{0, .3, .3, 1}, {0, .3, 1, 1}};
  const MaximumErrorBounds bounds = bound_maximum_error(Expression("x<.3 ? x : 1.25"), p);
  CHECK(bounds.certified);
  // At the jump itself both sides count.
  CHECK(bounds.upper == doctest::Approx(.95).epsilon(1e-3));
}

TEST_CASE("a network is bounded with its rounding") {
  // x^2 = x - sum_i 4^-(i+1) W_i with all peaks in the middle: 32 pieces that meet x^2 at their
  // ends.
  region::FoldedFunction parabola{{0, 1}, {0, 1}, {region::FoldedWindow{}}};
  for (int i = 0; i < 5; ++i) {
    parabola.windows[0].pieces.push_back({.5, .5});
    parabola.windows[0].scales.push_back(-std::pow(.25, i + 1));
  }
  const region::ReluNetwork network = region::to_network(parabola);
  const MaximumErrorBounds bounds = bound_maximum_error(Expression("x^2"), network, {0, 1});
  CHECK(bounds.certified);
  const double exact = 1.0 / (4 * 32 * 32);
  CHECK(bounds.lower <= exact);
  CHECK(exact <= bounds.upper);
  CHECK(bounds.upper <= exact * 1.002);
  const MaximumErrorBounds rough =
      bound_maximum_error(Expression("x^2"), network, {0, 1}, {}, region::Rounding::of_float());
  CHECK(rough.upper > bounds.upper);
  CHECK(rough.upper < exact + 1e-4);
}

}  // namespace
}  // namespace asap::test
