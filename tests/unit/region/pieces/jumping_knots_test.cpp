#include "region/pieces/jumping_knots.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/random.h"
#include "region/pieces/cells.h"
#include "region/pieces/free_knots.h"
#include "region/pieces/piecewise_network.h"

namespace asap::test {
namespace {

using region::Samples;

Samples noisy_steps(int count, double deviation, std::uint32_t seed) {
  base::RandomStream random(seed, base::RandomPurpose::test);
  Samples samples;
  for (int i = 0; i < count; ++i) {
    const double x = 10.0 * i / (count - 1);
    const double y = x < 3.02 ? 1 + 0.2 * x : x < 7 ? 4 - 0.1 * x : 6 + 0.3 * x;
    samples.x.push_back(x);
    samples.y.push_back(y + deviation * random.normal());
    samples.weight.push_back(random.uniform(0.5, 2));
  }
  return samples;
}

Samples part(const Samples& samples, std::size_t from, std::size_t to) {
  const auto cut = [&](const std::vector<double>& all) {
    return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(from),
                               all.begin() + static_cast<std::ptrdiff_t>(to));
  };
  return {cut(samples.x), cut(samples.y), cut(samples.weight)};
}

double line_cost(const Samples& samples) {
  return region::best_piecewise(samples, 1).mse * samples.total_weight();
}

TEST_CASE("jumps between lines are as good as the best of all places") {
  for (const std::uint32_t seed : {1, 2, 3}) {
    const Samples samples = noisy_steps(60, 0.4, seed);
    const std::size_t n = samples.x.size();
    double one = std::numeric_limits<double>::infinity(), two = one;
    for (std::size_t i = 3; i + 3 <= n; ++i) {
      one = std::min(one, line_cost(part(samples, 0, i)) + line_cost(part(samples, i, n)));
      for (std::size_t j = i + 3; j + 3 <= n; ++j)
        two = std::min(two, line_cost(part(samples, 0, i)) + line_cost(part(samples, i, j)) +
                                line_cost(part(samples, j, n)));
    }
    const double total = samples.total_weight();
    for (const region::JumpingFit& fit : region::jumping_knots(samples, 3, 2)) {
      if (fit.pieces() == 2) CHECK(fit.mse <= (1 + 1e-9) * one / total);
      if (fit.pieces() == 3 && fit.jumps() == 2) CHECK(fit.mse <= (1 + 1e-9) * two / total);
      const region::PiecewiseLinear all = region::joined(fit.parts);
      CHECK(all.pieces() == fit.pieces() + fit.jumps());
      CHECK(region::mean_squared_error(all, samples) == doctest::Approx(fit.mse).epsilon(1e-9));
    }
  }
}

TEST_CASE("jumps are found between their points, among many points as well") {
  for (const int count : {100, 5000}) {
    const Samples samples = noisy_steps(count, 0.1, 4);
    const region::JumpingFit fit = region::jumping_knots(samples, 3, 2).back();
    REQUIRE(fit.jumps() == 2);
    const std::vector<region::Jump> jumps = region::jumps_of(fit.parts);
    CHECK(jumps[0].left < 3.02);
    CHECK(jumps[0].right >= 3.02);
    CHECK(jumps[1].left < 7);
    CHECK(jumps[1].right >= 7);
    CHECK(jumps[0].height == doctest::Approx(2.094).epsilon(0.1));
    CHECK(jumps[1].height == doctest::Approx(4.8).epsilon(0.1));
  }
}

TEST_CASE("a piece at a jump has three points, and exact steps end the search") {
  Samples spike = noisy_steps(40, 0, 1);
  for (double& y : spike.y) y = 0;
  spike.y[20] = 100;
  for (const region::JumpingFit& fit : region::jumping_knots(spike, 6, 5))
    for (const region::PiecewiseLinear& piece : fit.parts) {
      int points = 0;
      for (const double x : spike.x) points += x >= piece.x.front() && x <= piece.x.back();
      CHECK(points >= 3);
    }
  const std::vector<region::JumpingFit> exact =
      region::jumping_knots(noisy_steps(50, 0, 1), 40, 10);
  CHECK(exact.back().pieces() == 3);
  CHECK(exact.back().jumps() == 2);
  CHECK(exact.back().mse < 1e-26);
}

}  // namespace
}  // namespace asap::test
