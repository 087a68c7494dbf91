#include "region/pieces/free_knots.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "base/random.h"
#include "numerics/dense_solvers.h"
#include "support/share.h"

namespace asap::test {
namespace {

using region::Samples;

Samples drawn_points(std::uint32_t seed, int count) {
  base::RandomStream random(seed, base::RandomPurpose::test);
  Samples samples;
  double x = random.uniform(-5, 5), y = 0, slope = random.normal();
  for (int i = 0; i < count; ++i) {
    x += random.uniform(0.05, 1);
    if (random.below(6) == 0) slope = 2 * random.normal();
    y += slope;
    samples.x.push_back(x);
    samples.y.push_back(y + 0.7 * random.normal());
    samples.weight.push_back(random.uniform(0.2, 3));
  }
  return samples;
}

/// Weighted mean squared error of the best values at these knots, by dense least squares.
double error_at_knots(const Samples& samples, const std::vector<double>& inner) {
  const auto n = samples.size(), columns = static_cast<std::int64_t>(inner.size()) + 2;
  tensor::Tensor<double> a({n, columns}), solution({columns});
  std::vector<double> b;
  for (std::int64_t i = 0; i < n; ++i) {
    const double x = samples.x[i], root = std::sqrt(samples.weight_at(i));
    a.rows()(i, 0) = root;
    a.rows()(i, 1) = root * x;
    for (std::size_t k = 0; k < inner.size(); ++k)
      a.rows()(i, static_cast<std::int64_t>(k) + 2) = root * std::max(0.0, x - inner[k]);
    b.push_back(root * samples.y[i]);
  }
  numerics::solve_least_squares(a.rows(), b, solution.flat());
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double value = -b[i];
    for (std::int64_t k = 0; k < columns; ++k) value += a.rows()(i, k) * solution[k];
    sum += value * value;
  }
  return sum / samples.total_weight();
}

/// The least error over all choices of inner knots among the places.
double exhaustive(const Samples& samples, const std::vector<double>& places, int inner,
                  std::size_t first = 0, std::vector<double> chosen = {}) {
  if (static_cast<int>(chosen.size()) == inner) return error_at_knots(samples, chosen);
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = first; i < places.size(); ++i) {
    chosen.push_back(places[i]);
    least = std::min(least, exhaustive(samples, places, inner, i + 1, chosen));
    chosen.pop_back();
  }
  return least;
}

TEST_CASE("free knots are within five per cent of an exhaustive search, in thirty cases") {
  int cases = 0;
  for (std::uint32_t seed = 0; seed < static_cast<std::uint32_t>(share_of(10)); ++seed) {
    const Samples samples = drawn_points(seed, 22);
    std::vector<double> places;
    for (std::size_t i = 1; i + 1 < samples.x.size(); ++i) {
      places.push_back(samples.x[i]);
      places.push_back(0.5 * (samples.x[i] + samples.x[i + 1]));
    }
    for (const int pieces : {2, 3, 4}) {
      CAPTURE(seed);
      CAPTURE(pieces);
      // The full grid of places for two and three pieces; for four the points alone.
      std::vector<double> some = places;
      if (pieces == 4) some.assign(samples.x.begin() + 1, samples.x.end() - 1);
      const double found = region::best_piecewise(samples, pieces).mse;
      CHECK(found <= 1.05 * exhaustive(samples, some, pieces - 1));
      ++cases;
    }
  }
  CHECK((cases == 30 || !in_full()));
}

TEST_CASE("the error is that of the function, and never increases with the number of pieces") {
  const Samples samples = drawn_points(99, 300);
  double before = std::numeric_limits<double>::infinity();
  for (const region::PiecewiseFit& fit : region::free_knots(region::cells_of(samples, 1000), 40)) {
    double sum = 0;
    for (std::int64_t i = 0; i < samples.size(); ++i) {
      const double error = fit.function(samples.x[i]) - samples.y[i];
      sum += samples.weight_at(i) * error * error;
    }
    CHECK(fit.mse == doctest::Approx(sum / samples.total_weight()).epsilon(1e-9));
    CHECK(fit.mse <= before);
    CHECK(std::is_sorted(fit.function.x.begin(), fit.function.x.end()));
    before = fit.mse;
  }
}

TEST_CASE("with nearly as many pieces as points the error does not grow, and ends at zero") {
  for (const std::uint32_t seed : {3, 4}) {
    const Samples samples = drawn_points(seed, 80);
    double before = region::best_piecewise(samples, 64).mse;
    for (const int pieces : {66, 72, 78, 79}) {
      const double error = region::best_piecewise(samples, pieces).mse;
      CHECK(error <= before * (1 + 1e-9));
      before = error;
    }
    CHECK(before == 0);
  }
}

TEST_CASE("the number of pieces that is asked for last does not change the others") {
  const Samples samples = drawn_points(7, 200);
  const region::Cells cells = region::cells_of(samples, 1000);
  const auto few = region::free_knots(cells, 3), many = region::free_knots(cells, 9);
  for (std::size_t p = 0; p < few.size(); ++p) CHECK(few[p].mse == many[p].mse);
}

TEST_CASE("exact lines are found exactly, at uneven and at a hundred thousand points") {
  for (const int count : {9, 150, 100'000}) {
    Samples samples;
    for (int i = 0; i < count; ++i) {
      const double x = 10 * std::pow(static_cast<double>(i) / (count - 1), 1.5);
      samples.x.push_back(x);
      samples.y.push_back(std::max(x, 3 * x - 7.4));
    }
    const region::PiecewiseFit fit = region::best_piecewise(samples, 2);
    CHECK(fit.mse < 1e-24);
    CHECK(fit.function.x[1] == doctest::Approx(3.7).epsilon(1e-9));
  }
}

TEST_CASE("many pieces of smooth functions reach the asymptotic error") {
  // (integral |f''|^0.4)^5 / (720 pieces^4): for x^2 it is exact, 4 / (720 pieces^4).
  for (const int pieces : {5, 46, 100, 700}) {
    const region::Cells cells =
        region::cells_of([](double x) { return x * x; }, {0, 1}, std::max(512, 8 * pieces));
    CHECK(region::best_piecewise(cells, pieces).mse ==
          doctest::Approx(4 / (720 * std::pow(pieces, 4))).epsilon(5e-3));
  }
  const region::Cells sine =
      region::cells_of([](double x) { return std::sin(20 * x); }, {0, 1}, 512);
  CHECK(region::best_piecewise(sine, 7).mse <= 6.71e-3);  // of an independent search
}

}  // namespace
}  // namespace asap::test
