#include "region/family/curvature.h"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "region/family/linear_part.h"
#include "support/folded_functions.h"

namespace asap::test {
namespace {

double error_of(const region::FoldedFunction& function, const region::Samples& samples) {
  std::vector<double> prediction(samples.x.size());
  region::to_network(function).evaluate(samples.x, prediction);
  return region::mean_squared_error(samples, prediction);
}

TEST_CASE(
    "curvature folding splits a parabola evenly, at every level and for any number of pieces") {
  const numerics::Curve parabola = [](double x) { return 3 * x * x - x; };
  for (const int fold : {2, 3, 5}) {
    const region::FoldedWindow window = region::fold_by_curvature(parabola, {-2, 3}, 4, fold);
    for (const auto& level : window.pieces)
      // The profile lives on 2048 cells.
      for (const double piece : level) CHECK(piece == doctest::Approx(1.0 / fold).epsilon(1e-3));
  }
}

TEST_CASE("x squared is fitted at the optimum of 32 pieces, 5.30e-9") {
  const numerics::Curve square = [](double x) { return x * x; };
  region::FoldedFunction function = region::curvature_folding(square, {0, 1}, 5, 2, 1);
  const region::Samples samples = dense_samples(square, {0, 1}, 20001);
  region::fit_linear_part(function, samples);
  // 4 / (720 * 32^4) is the least error of 32 pieces.
  CHECK(error_of(function, samples) == doctest::Approx(5.298e-9).epsilon(0.01));
}

TEST_CASE("eight windows of depth five reach the measured errors without any polishing") {
  struct Case {
    numerics::Curve f;
    numerics::Interval interval;
    double error;
  };
  const std::vector<Case> cases = {
      {[](double x) { return std::sin(x); }, {0, 2 * std::numbers::pi}, 2e-7},
      {[](double x) { return std::tanh(3 * x); }, {-1, 1}, 3e-8},
      {[](double x) { return x * x * x; }, {0, 1}, 7e-10}};
  for (const Case& c : cases) {
    region::FoldedFunction function = region::curvature_folding(c.f, c.interval, 5, 2, 8);
    const region::Samples samples = dense_samples(c.f, c.interval, 20001);
    region::fit_linear_part(function, samples);
    CHECK(error_of(function, samples) < c.error);
  }
}

}  // namespace
}  // namespace asap::test
