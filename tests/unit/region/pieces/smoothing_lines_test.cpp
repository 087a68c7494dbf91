#include "region/pieces/smoothing_lines.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"

namespace asap::test {
namespace {

using region::Penalty;
using region::PiecewiseLinear;
using region::Samples;

Samples uneven_points(int count) {
  base::RandomStream random(7, base::RandomPurpose::test);
  Samples samples;
  double x = -3;
  for (int i = 0; i < count; ++i) {
    x += random.uniform(0.05, 1);
    samples.x.push_back(x);
    samples.y.push_back(std::sin(x) + 0.3 * random.normal());
    samples.weight.push_back(random.uniform(0.2, 3));
  }
  return samples;
}

/// What a smoothing line minimises, by its definition.
double cost(const Samples& samples, const std::vector<double>& y, Penalty penalty,
            double strength) {
  const std::size_t n = y.size();
  const double distance = (samples.x.back() - samples.x.front()) / static_cast<double>(n - 1);
  double sum = 0, weight = 0;
  for (const double w : samples.weight) weight += w / static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i)
    sum += samples.weight[i] / weight * std::pow(y[i] - samples.y[i], 2);
  const auto slope = [&](std::size_t i) {
    return (y[i + 1] - y[i]) / (samples.x[i + 1] - samples.x[i]) * distance;
  };
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const double length = (samples.x[i + 1] - samples.x[i]) / distance;
    if (penalty == Penalty::slopes) sum += strength * slope(i) * slope(i) * length;
    if (penalty == Penalty::slopes || i + 2 == n) continue;
    const double both = (samples.x[i + 2] - samples.x[i]) / distance;
    sum += strength * 2 / both * std::pow(slope(i + 1) - slope(i), 2);
  }
  return sum;
}

TEST_CASE("a smoothing line is the least of its cost") {
  const Samples samples = uneven_points(40);
  const region::SmoothingLines problem(samples);
  for (const Penalty penalty : {Penalty::slopes, Penalty::bends})
    for (const double strength : {1e-3, 1.0, 1e3}) {
      CAPTURE(strength);
      const PiecewiseLinear line = problem.line({penalty, strength});
      REQUIRE(line.x == samples.x);
      // The cost is quadratic, so differences of both sides are its derivatives: zero at the least.
      for (std::size_t i = 0; i < line.y.size(); ++i) {
        std::vector<double> more = line.y, less = line.y;
        more[i] += 1;
        less[i] -= 1;
        const double up = cost(samples, more, penalty, strength);
        CHECK(cost(samples, less, penalty, strength) == doctest::Approx(up).epsilon(1e-9));
      }
    }
}

TEST_CASE("weak smoothing passes through the points, strong smoothing is straight") {
  const Samples samples = uneven_points(30);
  const region::SmoothingLines problem(samples);
  const PiecewiseLinear weak = problem.line({Penalty::slopes, 1e-9});
  for (std::size_t i = 0; i < weak.y.size(); ++i) CHECK(std::abs(weak.y[i] - samples.y[i]) < 1e-6);
  const PiecewiseLinear level = problem.line({Penalty::slopes, 1e8});
  CHECK(level.y.back() == doctest::Approx(level.y.front()).epsilon(1e-4));
  const PiecewiseLinear straight = problem.line({Penalty::bends, 1e8});
  CHECK(straight.slope(20) == doctest::Approx(straight.slope(3)).epsilon(1e-3));
}

TEST_CASE("units, offsets and the scale of weights change nothing but units") {
  const Samples samples = uneven_points(25);
  Samples other = samples;
  for (double& x : other.x) x = 1e6 * x - 4e9;
  for (double& y : other.y) y = 1e-6 * y + 1e3;
  for (double& weight : other.weight) weight *= 1e9;
  for (const Penalty penalty : {Penalty::slopes, Penalty::bends}) {
    const PiecewiseLinear a = region::SmoothingLines(samples).line({penalty, 3});
    const PiecewiseLinear b = region::SmoothingLines(other).line({penalty, 3});
    for (std::size_t i = 0; i < a.y.size(); ++i)
      CHECK((b.y[i] - 1e3) * 1e6 == doctest::Approx(a.y[i]).epsilon(1e-5));
  }
}

TEST_CASE("very many points are joined, and the ends stay") {
  Samples samples;
  for (int i = 0; i < 20'000; ++i) {
    samples.x.push_back(i);
    samples.y.push_back(0.5 * i);
  }
  const PiecewiseLinear line = region::SmoothingLines(samples).line({Penalty::bends, 1});
  CHECK(line.pieces() < 3 * region::kMostPieces);
  CHECK(line.x.front() == 0);
  CHECK(line.x.back() == 19'999);
  CHECK(line(12'345) == doctest::Approx(0.5 * 12'345).epsilon(1e-6));
}

TEST_CASE("a simplified line has fewer pieces and stays near") {
  const PiecewiseLinear line =
      region::SmoothingLines(uneven_points(200)).line({Penalty::bends, 30});
  const PiecewiseLinear fewer = region::simplified(line, 0.05);
  CHECK(fewer.pieces() < 60);
  // Values are fitted again, so single places may move farther than the knots found at first did.
  double squares = 0;
  for (std::size_t i = 0; i < line.x.size(); ++i)
    squares += std::pow(fewer(line.x[i]) - line.y[i], 2) / static_cast<double>(line.x.size());
  CHECK(std::sqrt(squares) < 0.05);
  CHECK(region::simplified(line, 0).pieces() >= 190);
}

}  // namespace
}  // namespace asap::test
