#include "region/pieces/constrained_knots.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/random.h"
#include "region/pieces/constrained_refiner.h"
#include "region/pieces/huber.h"
#include "region/pieces/piecewise_network.h"
#include "support/share.h"

namespace asap::test {
namespace {

using region::PiecesConstraints;
using region::PiecewiseLinear;
using region::Samples;
using Kind = region::ShapeConstraint::Kind;

Samples noisy(const std::function<double(double)>& f, int count, double deviation,
              std::uint32_t seed) {
  base::RandomStream random(seed, base::RandomPurpose::test);
  Samples samples;
  for (int i = 0; i < count; ++i) {
    const double x = (i + 0.3 * random.uniform()) / count;
    samples.x.push_back(x);
    samples.y.push_back(f(x) + deviation * random.normal());
    samples.weight.push_back(random.uniform(0.5, 2));
  }
  return samples;
}

/// Isotonic regression by pooling adjacent violators.
std::vector<double> isotonic(const Samples& samples) {
  struct Block {
    double mean, weight;
    int count;
  };
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < samples.x.size(); ++i) {
    blocks.push_back({samples.y[i], samples.weight[i], 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean > blocks.back().mean) {
      const Block last = blocks.back();
      blocks.pop_back();
      Block& block = blocks.back();
      block.mean =
          (block.mean * block.weight + last.mean * last.weight) / (block.weight + last.weight);
      block.weight += last.weight;
      block.count += last.count;
    }
  }
  std::vector<double> values;
  for (const Block& block : blocks) values.insert(values.end(), block.count, block.mean);
  return values;
}

TEST_CASE("values at all points under --monotone are the isotonic regression") {
  const Samples samples = noisy([](double x) { return x * x; }, 40, 0.2, 1);
  PiecesConstraints increasing;
  increasing.shapes = {{Kind::increasing}};
  const auto fit =
      region::fit_constrained_values(region::cells_of(samples, 1000), increasing,
                                     {samples.x, std::vector<double>(samples.x.size(), 0.0)});
  REQUIRE(fit);
  const std::vector<double> wanted = isotonic(samples);
  // A margin of 1e-12 at every point, and least weights of 1e-10.
  for (std::size_t i = 0; i < wanted.size(); ++i)
    CHECK(fit->function.y[i] == doctest::Approx(wanted[i]).epsilon(1e-8));
}

/// The kinds of constraints that a user can give.
std::vector<PiecesConstraints> kinds_of_constraints() {
  std::vector<PiecesConstraints> all(7);
  all[0].shapes = {{Kind::increasing}};
  all[1].shapes = {{Kind::concave}};
  all[2].least_slope = -1;
  all[2].most_slope = 2;
  all[3].least_value = 0.2;
  all[3].most_value = 0.8;
  all[4].through = {{0, 0}, {0.5, 0.7}};
  all[5].shapes = {{Kind::convex, 0.5, 1}, {Kind::decreasing, 0, 0.3}};
  all[6].shapes = {{Kind::increasing}, {Kind::concave}};
  all[6].through = {{-0.2, -0.5}};
  all[6].most_value = 0.9;
  return all;
}

TEST_CASE("constrained knots are within five per cent of an exhaustive search") {
  for (std::uint32_t seed = 0; seed < static_cast<std::uint32_t>(share_of(3)); ++seed) {
    const Samples samples = noisy([](double x) { return std::sin(5 * x); }, 24, 0.1, 10 + seed);
    const region::Cells cells = region::cells_of(samples, 1000);
    std::size_t index = 0;
    for (const PiecesConstraints& constraints : kinds_of_constraints()) {
      CAPTURE(index++);
      const std::vector<region::PiecewiseFit> fits =
          region::constrained_knots(cells, constraints, 3);
      for (const region::PiecewiseFit& fit : fits) {
        const std::int64_t pieces = fit.function.pieces();
        if (pieces == 1) continue;
        CAPTURE(pieces);
        const double low = fit.function.x.front(), high = fit.function.x.back();
        double least = std::numeric_limits<double>::infinity();
        for (int i = 1; i < 30; ++i) {
          for (int j = i + 1; j < 30; ++j) {
            PiecewiseLinear line{{low, low + (high - low) * i / 30}, {}};
            if (pieces == 3) line.x.push_back(low + (high - low) * j / 30);
            line.x.push_back(high);
            line.y.assign(line.x.size(), 0.5);
            const auto values = region::fit_constrained_values(cells, constraints, line);
            if (values) least = std::min(least, values->mse);
            if (pieces == 2) break;
          }
        }
        CHECK(fit.mse <= 1.05 * least);
        CHECK(region::mean_squared_error(fit.function, samples) ==
              doctest::Approx(fit.mse).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("the networks keep their constraints, in any units and offsets") {
  for (const auto& [x0, length, y0, range] :
       {std::array{0.0, 1.0, 0.0, 1.0}, std::array{1e6, 1e-3, -1e5, 3e-2},
        std::array{-5.0, 1e9, 0.0, 1e-9}}) {
    Samples samples = noisy([](double x) { return std::sin(5 * x); }, 80, 0.1, 3);
    for (double& x : samples.x) x = x0 + length * x;
    for (double& y : samples.y) y = y0 + range * y;
    for (const PiecesConstraints& unit : kinds_of_constraints()) {
      const PiecesConstraints constraints =
          unit.scaled(-x0 / length, 1 / length, -y0 / range, 1 / range);
      const region::PiecewiseFit fit =
          region::constrained_knots(region::cells_of(samples, 1000), constraints, 6).back();
      const region::ReluNetwork network = region::to_network(fit.function);
      // One length beyond the ends: slopes and shapes hold there, values need not.
      const double reach = fit.function.x.back() - fit.function.x.front();
      PiecesConstraints outside = constraints;
      outside.least_value = -PiecesConstraints::kInfinite;
      outside.most_value = PiecesConstraints::kInfinite;
      CHECK(region::kept_constraints(constraints, network,
                                     {fit.function.x.front(), fit.function.x.back()})
                .violation <= 1e-9);
      // With an offset the rounding of the end pieces counts twice as much on twice the length.
      if (x0 != 1e6)
        CHECK(region::kept_constraints(
                  outside, network, {fit.function.x.front() - reach, fit.function.x.back() + reach})
                  .violation <= 1e-9);
    }
  }
}

TEST_CASE("what a network breaks is measured") {
  const region::ReluNetwork network = region::to_network({{0, 1, 2}, {0, 2, 1}});
  const auto violation = [&](const PiecesConstraints& constraints) {
    return region::kept_constraints(constraints, network, {0, 2}).violation;
  };
  PiecesConstraints constraints;
  constraints.shapes = {{Kind::increasing}};
  CHECK(violation(constraints) == doctest::Approx(1));  // a slope of -1 over 2, values range 2
  constraints.shapes = {{Kind::increasing, 0, 1}, {Kind::concave}};
  CHECK(violation(constraints) == 0);
  constraints.shapes = {{Kind::convex, 0.5, 1.5}};
  CHECK(violation(constraints) == doctest::Approx(3));
  constraints = {};
  constraints.most_value = 1.5;
  CHECK(violation(constraints) == doctest::Approx(0.25));
  constraints = {};
  constraints.through = {{0.5, 1}, {1.5, 1.7}};
  CHECK(violation(constraints) == doctest::Approx(0.1));
}

TEST_CASE("constraints that no function meets are refused by name") {
  const Samples samples = noisy([](double x) { return x; }, 30, 0.1, 7);
  const region::Cells cells = region::cells_of(samples, 1000);
  const auto message = [&](const PiecesConstraints& constraints, int pieces) -> std::string {
    try {
      region::constrained_knots(cells, constraints, pieces);
    } catch (const base::UsageError& error) {
      return error.what();
    }
    return "";
  };
  PiecesConstraints constraints;
  constraints.shapes = {{Kind::increasing}};
  constraints.through = {{0.2, 1}, {0.8, 0}};
  CHECK(message(constraints, 5).find("`monotone` and `through`: no continuous function") == 0);
  constraints = {};
  constraints.most_value = 0.5;
  constraints.least_slope = 3;
  constraints.through = {{0.1, 0}};
  CHECK(message(constraints, 5).find("`slope_bounds`, `value_bounds` and `through`") == 0);
  // Three points that are not in line need two pieces.
  constraints = {};
  constraints.through = {{0.1, 0}, {0.4, 1}, {0.7, 0}};
  CHECK(message(constraints, 1).find("no function of 1 straight piece ") == 0);
  CHECK(message(constraints, 2).empty());
}

TEST_CASE("many points and Huber's loss keep constraints as well") {
  Samples samples = noisy([](double x) { return std::sqrt(x); }, 3000, 0.1, 9);
  for (std::size_t i = 0; i < samples.y.size(); i += 17) samples.y[i] += 20;
  PiecesConstraints constraints;
  constraints.shapes = {{Kind::increasing}, {Kind::concave}};
  constraints.through = {{0, 0}};
  const Samples robust = region::with_huber_weights(samples);
  const PiecewiseLinear start =
      region::constrained_knots(region::cells_of(robust, region::kSearchedCells), constraints, 4)
          .back()
          .function;
  const PiecewiseLinear fit = region::huber_refined(
      start, samples, [&](const PiecewiseLinear& line, const Samples& points) {
        return region::constrained_on_points(line, points, constraints);
      });
  for (const double x : {0.05, 0.2, 0.5, 0.9})
    CHECK(fit(x) == doctest::Approx(std::sqrt(x)).epsilon(0.05));
  CHECK(region::kept_constraints(constraints, region::to_network(fit), {0, 1}).violation <= 1e-9);
}

}  // namespace
}  // namespace asap::test
