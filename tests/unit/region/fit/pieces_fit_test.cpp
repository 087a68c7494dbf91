#include "region/fit/pieces_fit.h"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/share.h"
#include "unit/region/fit/fit_targets.h"

namespace asap::test {
namespace {

using region::Samples;

/// A function with noise on even points, drawn with a seed.
struct NoisyCase {
  const char* name;
  numerics::Curve f;
  numerics::Interval interval;
  int points;
  double deviation;
  int pieces;  ///< with which the points are fitted where their number is known
  bool lines;  ///< the function itself has these pieces
};

const NoisyCase kNoisyCases[] = {
    {"three lines",
     [](double x) {
       return x < 300 ? 0.1 * x : x < 700 ? 0.4 * (x - 300) + 30 : 0.8 * (x - 700) + 190;
     },
     {0, 999},
     1000,
     30,
     3,
     true},
    {"sigmoid", [](double x) { return 1 / (1 + std::exp(-8 * x)); }, {-1, 1}, 400, 0.05, 5, false},
    {"tent", [](double x) { return x < 4 ? x : 8 - x; }, {0, 10}, 200, 0.1, 2, true},
    {"sine", [](double x) { return std::sin(x); }, {0, 2 * std::numbers::pi}, 300, 0.1, 6, false}};

Samples noisy_points(const NoisyCase& test, std::uint32_t seed) {
  base::RandomStream random(seed, base::RandomPurpose::test);
  Samples samples = region::even_samples(test.f, test.interval, test.points);
  for (double& y : samples.y) y += test.deviation * random.normal();
  return samples;
}

double distance(const region::PiecewiseLinear& line, const NoisyCase& test,
                const Samples& samples) {
  double sum = 0;
  for (const double x : samples.x) sum += std::pow(line(x) - test.f(x), 2);
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

TEST_CASE("noise gets few pieces: chosen by BIC, they are as good as the known number") {
  for (const NoisyCase& test : kNoisyCases) {
    CAPTURE(test.name);
    double chosen = 0, known = 0;
    int exact = 0;
    const int draws = share_of(8);
    for (int draw = 0; draw < draws; ++draw) {
      const region::Target target =
          region::points_target("noisy", noisy_points(test, static_cast<std::uint32_t>(draw)));
      const region::PiecesFit fit = region::fit_pieces(target, {});
      CHECK(fit.function.pieces() <= 10);
      exact += fit.function.pieces() == test.pieces;
      chosen += distance(fit.function, test, target.samples) / draws;
      known += distance(region::fit_pieces(target, {.pieces = test.pieces}).function, test,
                        target.samples) /
               draws;
    }
    if (in_full()) CHECK(chosen <= 1.1 * known);
    // Least squares with the true lines leaves deviation * sqrt(2 pieces / points) on average; a
    // mean of eight draws is below 1.3 times that in more than 99 of 100 cases.
    if (test.lines && in_full())
      CHECK(chosen <= 1.3 * test.deviation * std::sqrt(2.0 * test.pieces / test.points));
    if (test.lines) CHECK(exact >= draws - 1);
  }
}

/// The same points in other units.
Samples converted(Samples samples, double x_scale, double x_offset, double y_scale, double y_offset,
                  double weight) {
  for (double& x : samples.x) x = x_scale * x + x_offset;
  for (double& y : samples.y) y = y_scale * y + y_offset;
  samples.weight.resize(samples.x.size(), 1);
  for (double& w : samples.weight) w *= weight;
  return samples;
}

TEST_CASE("units, offsets and a common factor of the weights change nothing but units") {
  const Samples samples = noisy_points(kNoisyCases[3], 1);
  const region::PiecesFit plain = region::fit_pieces(region::points_target("plain", samples), {});
  const double tiny = 1e-12, huge = 1e12;
  for (const auto& [x_scale, x_offset, y_scale, y_offset, weight] :
       {std::array{tiny, 0.0, huge, 0.0, 1e9}, std::array{huge, 0.0, tiny, 0.0, 1e-9},
        std::array{1.0, 1e6, 1.0, 1e6, 1.0}, std::array{1.0, -3.0, -2.0, 1e9, 7.0}}) {
    const region::PiecesFit other = region::fit_pieces(
        region::points_target("other",
                              converted(samples, x_scale, x_offset, y_scale, y_offset, weight)),
        {});
    REQUIRE(other.function.pieces() == plain.function.pieces());
    for (const double x : samples.x) {
      const double value = other.function(x_scale * x + x_offset);
      // An offset of 1e9 leaves y seven decimals, noise of 1e-7 against .1.
      CHECK((value - y_offset) / y_scale == doctest::Approx(plain.function(x)).epsilon(1e-4));
    }
  }
}

TEST_CASE("what weights say is fitted: as weighted least squares, and as repeated points") {
  Samples samples = region::even_samples([](double x) { return std::sqrt(x); }, {0, 1}, 101);
  Samples weighted = samples;
  for (const double x : samples.x) weighted.weight.push_back(x > 0.9 ? 1e9 : 1e-9);
  const auto fit = [](const Samples& points) {
    return region::fit_pieces(region::points_target("root", points), {.pieces = 3}).function;
  };
  const region::PiecewiseLinear plain = fit(samples), heavy = fit(weighted);
  const auto error = [&](const region::PiecewiseLinear& line) {
    double sum = 0;
    for (std::size_t i = 91; i <= 100; ++i) sum += std::pow(line(samples.x[i]) - samples.y[i], 2);
    return sum;
  };
  CHECK(error(heavy) < 1e-3 * error(plain));
  // No values at the same knots have a smaller weighted error.
  const region::Cells cells = region::cells_of(weighted, 1000);
  const double at_knots = region::fit_values(cells, {heavy.x, {0, 0, 0, 0}}).mse;
  CHECK(region::refine_knots(cells, heavy, 0).mse <= at_knots * (1 + 1e-6));
}

TEST_CASE("logarithmic spacing is fitted where the points are") {
  Samples samples;
  for (int i = 0; i < 200; ++i) {
    samples.x.push_back(std::pow(10, -3 + 9 * i / 199.0));
    samples.y.push_back(std::pow(std::log10(samples.x.back()), 2));
  }
  CHECK(region::fit_pieces(region::points_target("log", samples), {.pieces = 10}).trials[0].mse <
        0.06);
  const region::Fit best = region::fit_network(region::points_target("log", samples), {});
  std::vector<double> prediction(200);
  best.network.evaluate(samples.x, prediction);
  CHECK(region::mean_squared_error(samples, prediction) < 0.005);
}

TEST_CASE("more depth is never worse") {
  region::FitOptions options;
  options.starts = 1;
  options.first_hops = 0;
  options.last_hops = 0;
  const region::Target target = region::function_target("sin(6.28*x)", {0, 1});
  const double five = dense_error(target, region::fit_network(target, options).network);
  for (const int depth : {6, 10}) {
    options.depth = depth;
    CHECK(dense_error(target, region::fit_network(target, options).network) <= five);
  }
}

TEST_CASE("numbers of pieces that cannot be searched are refused") {
  const region::Target target = region::function_target("x^2", {0, 1});
  CHECK_THROWS_AS(region::fit_pieces(target, {.pieces = -1}), base::UsageError);
  CHECK_THROWS_AS(region::fit_pieces(target, {.pieces = 5000}), base::UsageError);
}

}  // namespace
}  // namespace asap::test
