#include "region/fit/smoothing_fit.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "region/fit/pieces_fit.h"
#include "region/pieces/piecewise_network.h"

namespace asap::test {
namespace {

using region::Samples;

/// A random walk seen through noise; every fifth point is held out.
struct Walk {
  Samples training, held;

  explicit Walk(std::uint64_t seed) {
    base::RandomStream random(seed, base::RandomPurpose::test);
    double level = 0;
    for (int i = 0; i < 200; ++i) {
      level += random.normal();
      Samples& part = i % 5 == 2 ? held : training;
      part.x.push_back(i);
      part.y.push_back(level + random.normal());
    }
  }
};

region::PiecesFit chosen_for(const Samples& samples) {
  region::Target target;
  target.samples = samples;
  target.interval = {samples.x.front(), samples.x.back()};
  region::PiecesOptions options;
  options.criterion = region::Criterion::cv;
  return region::fit_pieces(target, options);
}

TEST_CASE("the error at points left out is the one that points held out show") {
  double expected = 0, shown = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Walk walk(seed);
    const auto fits = region::smoothing_fits(walk.training);
    REQUIRE(fits.size() == 2);
    const auto& best = fits[0].error < fits[1].error ? fits[0] : fits[1];
    expected += best.error;
    shown += mean_squared_error(best.function, walk.held);
    CHECK(best.function.pieces() < walk.training.size() * 3 / 4);
  }
  // Ten draws of 40 points: the standard error of the sum is some 7 per cent.
  CHECK(shown == doctest::Approx(expected).epsilon(0.25));
}

TEST_CASE("cross-validation takes a smoothing line for points that wander") {
  double smooth = 0, free = 0;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const Walk walk(seed);
    const region::PiecesFit fit = chosen_for(walk.training);
    for (const region::PiecesTrial& trial : fit.trials)
      if (trial.chosen) CHECK(trial.knots == region::Knots::smooth);
    CHECK_FALSE(fit.errors);
    smooth += mean_squared_error(fit.function, walk.held);
    free += mean_squared_error(region::best_piecewise(walk.training, 5).function, walk.held);
  }
  CHECK(smooth < free);
}

TEST_CASE("cross-validation keeps free knots where points have corners") {
  base::RandomStream random(3, base::RandomPurpose::test);
  Samples samples;
  for (int i = 0; i < 400; ++i) {
    samples.x.push_back(i);
    samples.y.push_back(std::abs(i % 200 - 100) + 0.02 * random.normal());
  }
  const region::PiecesFit fit = chosen_for(samples);
  for (const region::PiecesTrial& trial : fit.trials)
    if (trial.chosen) CHECK(trial.knots == region::Knots::free);
  CHECK(fit.function.pieces() <= 6);
}

TEST_CASE("exact straight lines keep their few pieces") {
  Samples line, tent;
  for (int i = 0; i < 60; ++i) {
    for (Samples* samples : {&line, &tent}) samples->x.push_back(0.1 * i);
    line.y.push_back(1e6 + 0.3 * i);
    tent.y.push_back(std::abs(0.1 * i - 2.5));
  }
  CHECK(chosen_for(line).function.pieces() == 1);
  CHECK(chosen_for(tent).function.pieces() == 2);
}

TEST_CASE("few points get no smoothing line") {
  CHECK(region::smoothing_fits({{0, 1}, {0, 1}, {}}).empty());
}

}  // namespace
}  // namespace asap::test
