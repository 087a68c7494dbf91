#include "region/pieces/knot_refiner.h"

#include <cmath>

#include <doctest/doctest.h>

namespace asap::test {
namespace {

region::Samples sine_points() {
  region::Samples samples;
  for (int i = 0; i <= 400; ++i) {
    samples.x.push_back(i / 400.0);
    samples.y.push_back(std::sin(7 * samples.x.back()));
    samples.weight.push_back(1 + i % 3);
  }
  return samples;
}

TEST_CASE("refined knots and values are a stationary point of the error") {
  const region::Cells cells = region::cells_of(sine_points(), 1000);
  const region::PiecewiseLinear start{{0, 0.2, 0.4, 0.7, 1}, {0, 1, 0, -1, 0.5}};
  const region::PiecewiseFit fit = region::refine_knots(cells, start, 300);
  // Central differences of the error by each parameter; a step crosses at most one point.
  const auto error = [&](const region::PiecewiseLinear& line) {
    return region::refine_knots(cells, line, 0).mse;
  };
  CHECK(fit.mse < 0.1 * error(start));
  const double step = 1e-6;
  for (std::size_t k = 0; k < fit.function.x.size(); ++k) {
    for (const bool knot : {false, true}) {
      if (knot && (k == 0 || k + 1 == fit.function.x.size())) continue;
      region::PiecewiseLinear up = fit.function, down = fit.function;
      (knot ? up.x : up.y)[k] += step;
      (knot ? down.x : down.y)[k] -= step;
      // The sum of 400 terms of size one rounds to 1e-16 / (2e-6); the refinement stops at a
      // relative decrease of 1e-7.
      CHECK(std::abs(error(up) - error(down)) / (2 * step) < 1e-5);
    }
  }
}

TEST_CASE("values at fixed knots solve the normal equations") {
  const region::Cells cells = region::cells_of(sine_points(), 1000);
  const region::PiecewiseFit fit =
      region::fit_values(cells, {{0, 0.13, 0.5, 0.9, 1}, {0, 0, 0, 0, 0}});
  for (std::size_t k = 0; k < 5; ++k) {
    double product = 0;
    for (const region::Cell& cell : cells) {
      region::PiecewiseLinear hat{fit.function.x, {0, 0, 0, 0, 0}};
      hat.y[k] = 1;
      product += cell.weight * hat(cell.x) * (fit.function(cell.x) - cell.y);
    }
    CHECK(std::abs(product) < 1e-10);
  }
}

}  // namespace
}  // namespace asap::test
