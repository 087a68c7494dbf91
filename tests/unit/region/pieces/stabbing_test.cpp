#include "region/pieces/stabbing.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/random.h"
#include "support/share.h"

namespace asap::test {
namespace {

using region::Samples;
using region::Within;

/// Fewest pieces with knots on a fine grid of places, by dynamic programming over the interval of
/// values that is reachable at each place: an upper bound that comes close.
int grid_pieces(const Samples& samples, double tolerance, int between) {
  struct Place {
    double x, low, high;
  };
  std::vector<Place> places;
  const double far = 1e3;
  for (std::size_t i = 0; i < samples.x.size(); ++i) {
    places.push_back({samples.x[i], samples.y[i] - tolerance, samples.y[i] + tolerance});
    if (i + 1 == samples.x.size()) break;
    for (int k = 1; k <= between; ++k)
      places.push_back(
          {samples.x[i] + (samples.x[i + 1] - samples.x[i]) * k / (between + 1), -far, far});
  }
  // Slopes from (x, v) that stay inside all gates up to a place: an interval.
  const auto reach = [&](std::size_t from, double value, std::size_t to) {
    double least = -1e9, most = 1e9;
    for (std::size_t i = from + 1; i <= to; ++i) {
      least = std::max(least, (places[i].low - value) / (places[i].x - places[from].x));
      most = std::min(most, (places[i].high - value) / (places[i].x - places[from].x));
    }
    return std::pair{least, most};
  };
  std::vector<int> count(places.size(), 1 << 20);
  std::vector<std::pair<double, double>> values(places.size(), {far, -far});
  count[0] = 0;
  values[0] = {places[0].low, places[0].high};
  for (int pieces = 1; pieces < 40; ++pieces) {
    const auto before = count;
    const auto from = values;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (before[i] != pieces - 1) continue;
      for (std::size_t j = i + 1; j < places.size(); ++j) {
        if (before[j] < pieces) continue;
        for (int s = 0; s <= 60; ++s) {
          const double value = from[i].first + (from[i].second - from[i].first) * s / 60;
          const auto [least, most] = reach(i, value, j);
          if (least > most) continue;
          const double length = places[j].x - places[i].x;
          values[j].first = std::min(values[j].first, value + least * length);
          values[j].second = std::max(values[j].second, value + most * length);
          count[j] = pieces;
        }
      }
    }
    if (count.back() <= pieces) return count.back();
  }
  return 1 << 20;
}

TEST_CASE("no more pieces than with knots on a fine grid, and all points within the tolerance") {
  int better = 0;
  for (std::uint32_t seed = 0; seed < static_cast<std::uint32_t>(share_of(20)); ++seed) {
    base::RandomStream random(seed, base::RandomPurpose::test);
    Samples samples;
    double x = 0;
    for (int i = 0; i < 14; ++i) {
      samples.x.push_back(x += random.uniform(0.3, 2));
      samples.y.push_back(2 * random.normal());
    }
    for (const double tolerance : {0.6, 1.5}) {
      const auto line = region::fewest_pieces(samples, tolerance, 100, Within::samples);
      REQUIRE(line);
      CHECK(region::max_error(*line, samples) <= tolerance * (1 + 1e-6));
      const int grid = grid_pieces(samples, tolerance, 3);
      CHECK(line->pieces() <= grid);
      CHECK(line->pieces() >= grid - 1);  // knots off the grid may save one
      better += line->pieces() < grid;
      if (line->pieces() > 1)
        CHECK_FALSE(region::fewest_pieces(samples, tolerance, static_cast<int>(line->pieces()) - 1,
                                          Within::samples));
    }
  }
  CHECK(better <= 12);
}

TEST_CASE("gates of different width: points behind every sample are within the tolerance") {
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    base::RandomStream random(seed, base::RandomPurpose::test, 3);
    Samples samples;
    std::vector<double> none(14, 0.0), equal(14, 0.4), drawn;
    for (int i = 0; i < 14; ++i) {
      samples.x.push_back(i + random.uniform(0, 0.5));
      samples.y.push_back(2 * random.normal());
      drawn.push_back(random.uniform(0, 0.9));
    }
    const auto pieces = [&](double tolerance) {
      return region::fewest_pieces(samples, tolerance, 100, Within::samples)->pieces();
    };
    CHECK(region::fewest_pieces(samples, none, 1.5, 100)->pieces() == pieces(1.5));
    CHECK(region::fewest_pieces(samples, equal, 1.5, 100)->pieces() == pieces(1.1));
    const auto line = region::fewest_pieces(samples, drawn, 1.5, 100);
    REQUIRE(line);
    for (std::size_t i = 0; i < drawn.size(); ++i)
      CHECK(std::abs((*line)(samples.x[i]) - samples.y[i]) + drawn[i] <= 1.5 * (1 + 1e-6));
    // Narrower gates need no fewer pieces than wider ones.
    CHECK(line->pieces() >= pieces(1.5));
    CHECK(line->pieces() <= pieces(0.6));
    CHECK_FALSE(region::fewest_pieces(samples, drawn, 0.2, 100));
  }
}

TEST_CASE("within chords, the knots are inside the tolerance as well") {
  const auto samples =
      region::following_samples([](double x) { return x * x * x; }, {0, 1}, 1e-8, 64, 100'000);
  REQUIRE(samples);
  const auto line = region::fewest_pieces(*samples, 1e-4, 1000, Within::chords);
  REQUIRE(line);
  // An extreme line spans 16 tolerances of f'' length^2 = 6 x length^2: 2 / 3 sqrt(6 / 16e-4)
  // = 40.8
  CHECK(line->pieces() == 41);
  for (std::size_t k = 0; k < line->x.size(); ++k)
    CHECK(std::abs(line->y[k] - std::pow(line->x[k], 3)) <= 1e-4 + 2e-8);
}

TEST_CASE("samples follow a square root into its singularity") {
  const auto samples =
      region::following_samples([](double x) { return std::sqrt(x); }, {0, 1}, 1e-7, 16, 100'000);
  REQUIRE(samples);
  for (std::size_t i = 0; i + 1 < samples->x.size(); ++i) {
    // The root leaves a chord most, by (sqrt(b) - sqrt(a))^2 / (4 (sqrt(a) + sqrt(b))).
    const double a = samples->y[i], b = samples->y[i + 1];
    CHECK((b - a) * (b - a) / (4 * (a + b)) < 1.2e-7);
  }
  CHECK_FALSE(
      region::following_samples([](double x) { return std::sqrt(x); }, {0, 1}, 1e-9, 16, 1000));
}

}  // namespace
}  // namespace asap::test
