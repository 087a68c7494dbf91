#include "region/pieces/piece_errors.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "region/pieces/free_knots.h"
#include "region/pieces/jumping_knots.h"
#include "support/share.h"

namespace asap::test {
namespace {

using region::Samples;

Samples tent(std::uint32_t seed, double deviation) {
  base::RandomStream random(seed, base::RandomPurpose::test);
  Samples samples;
  for (int i = 0; i < 100; ++i) {
    const double x = i / 10.0, weight = i % 2 == 0 ? 1 : 4;
    samples.x.push_back(x);
    samples.y.push_back((x < 4 ? x : 8 - x) + deviation * random.normal() / std::sqrt(weight));
    samples.weight.push_back(weight);
  }
  return samples;
}

TEST_CASE("the standard error of one piece is that of a weighted straight line") {
  const Samples samples = tent(1, 0.3);
  const region::PiecewiseLinear line = region::best_piecewise(samples, 1).function;
  double total = 0, mean = 0, spread = 0, squares = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    total += samples.weight[i];
    mean += samples.weight[i] * samples.x[i];
  }
  mean /= total;
  for (std::size_t i = 0; i < 100; ++i) {
    spread += samples.weight[i] * std::pow(samples.x[i] - mean, 2);
    squares += samples.weight[i] * std::pow(line(samples.x[i]) - samples.y[i], 2);
  }
  const region::PieceErrors errors = region::piece_errors({line}, samples);
  CHECK(errors.deviation == doctest::Approx(std::sqrt(squares / 98)).epsilon(1e-9));
  REQUIRE(errors.slopes.size() == 1);
  CHECK(errors.slopes[0] == doctest::Approx(std::sqrt(squares / 98 / spread)).epsilon(1e-9));
  CHECK(errors.knots.empty());
}

TEST_CASE("standard errors of knots and slopes are the deviations over many draws") {
  const int draws = share_of(400);
  double sums[3] = {}, squares[3] = {}, told[3] = {};
  for (int draw = 0; draw < draws; ++draw) {
    const Samples samples = tent(static_cast<std::uint32_t>(100 + draw), 0.2);
    const region::PiecewiseLinear line = region::best_piecewise(samples, 2).function;
    const region::PieceErrors errors = region::piece_errors({line}, samples);
    const double found[3] = {line.x[1], line.slope(0), line.slope(1)};
    const double error[3] = {errors.knots[0], errors.slopes[0], errors.slopes[1]};
    for (int k = 0; k < 3; ++k) {
      sums[k] += found[k] / draws;
      squares[k] += found[k] * found[k] / draws;
      told[k] += error[k] / draws;
    }
  }
  // The deviation of 400 draws is itself within 11 per cent in 99 of 100 cases.
  for (int k = 0; k < 3 && in_full(); ++k)
    CHECK(told[k] == doctest::Approx(std::sqrt(squares[k] - sums[k] * sums[k])).epsilon(0.12));
}

TEST_CASE("parts between jumps share the noise; too few points determine nothing") {
  Samples samples = tent(3, 0.2);
  for (std::size_t i = 70; i < 100; ++i) samples.y[i] += 5;
  const region::JumpingFit fit = region::jumping_knots(samples, 3, 1).back();
  REQUIRE(fit.jumps() == 1);
  const region::PieceErrors errors = region::piece_errors(fit.parts, samples);
  CHECK(errors.slopes.size() == 3);
  CHECK(errors.knots.size() == 1);
  CHECK(errors.deviation == doctest::Approx(0.2).epsilon(0.25));
  const Samples few{{0, 1, 2, 3}, {0, 1, 0, 1}, {}};
  const region::PieceErrors none = region::piece_errors({{{0, 1.5, 3}, {0, 1, 1}}}, few);
  CHECK(std::isnan(none.slopes[0]));
  CHECK(std::isnan(none.knots[0]));
}

}  // namespace
}  // namespace asap::test
