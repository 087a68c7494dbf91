#include "region/network/region_count.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "region/family/folded_function.h"

namespace asap::test {
namespace {

/// Pieces drawn evenly, none shorter than a fifth of the longest: at depth 16 the shortest region
/// is then still a thousand roundings wide.
region::FoldedWindow random_window(int depth, int fold, base::RandomStream& random) {
  region::FoldedWindow window;
  for (int i = 0; i < depth; ++i) {
    std::vector<double> pieces;
    double total = 0;
    for (int k = 0; k < fold; ++k) total += pieces.emplace_back(random.uniform(0.2, 1.0));
    for (double& piece : pieces) piece /= total;
    window.pieces.push_back(pieces);
    for (int k = 1; k < fold; ++k)
      window.scales.push_back(std::pow(fold, -2 * i) * random.uniform(0.5, 1.5));
  }
  return window;
}

region::FoldedFunction random_function(int depth, int fold, int windows,
                                       base::RandomStream& random) {
  region::FoldedFunction function;
  for (int j = 0; j <= windows; ++j) {
    function.nodes.push_back(j + 0.5 * random.uniform());
    function.values.push_back(random.normal());
  }
  for (int j = 0; j < windows; ++j) function.windows.push_back(random_window(depth, fold, random));
  return function;
}

std::int64_t power(std::int64_t base, int exponent) {
  return exponent == 0 ? 1 : base * power(base, exponent - 1);
}

__extension__ typedef __int128 Integer;  // not ISO C++, hence the word in front

/// Exact fractions of 128-bit integers, always in lowest terms, positive denominator.
struct Fraction {
  Integer top = 0, bottom = 1;

  Fraction(Integer t, Integer b = 1) : top(t), bottom(b) {
    Integer x = t < 0 ? -t : t, y = b < 0 ? -b : b;
    while (y != 0) {
      const Integer rest = x % y;
      x = y;
      y = rest;
    }
    if (b < 0) x = -x;
    top /= x;
    bottom /= x;
  }
  friend Fraction operator+(Fraction a, Fraction b) {
    return {a.top * b.bottom + b.top * a.bottom, a.bottom * b.bottom};
  }
  friend Fraction operator-(Fraction a, Fraction b) { return a + Fraction(-b.top, b.bottom); }
  friend Fraction operator*(Fraction a, Fraction b) { return {a.top * b.top, a.bottom * b.bottom}; }
  friend Fraction operator/(Fraction a, Fraction b) { return {a.top * b.bottom, a.bottom * b.top}; }
  friend bool operator==(Fraction a, Fraction b) { return a.top == b.top && a.bottom == b.bottom; }
  friend bool operator<(Fraction a, Fraction b) { return a.top * b.bottom < b.top * a.bottom; }
  double value() const { return static_cast<double>(top) / static_cast<double>(bottom); }
};

Fraction exact_tent(Fraction peak, Fraction w) {
  return w < peak ? w / peak : (Fraction(1) - w) / (Fraction(1) - peak);
}

/// Linear regions of sum_i s_i W_i in exact arithmetic: every u with some W_{i-1}(u) = a_i is a
/// breakpoint, found by inverting the tents; slopes between neighbours are compared exactly.
std::size_t exact_linear_regions(const std::vector<Fraction>& peaks,
                                 const std::vector<Fraction>& scales) {
  std::vector<Fraction> points{Fraction(0), Fraction(1)};
  for (std::size_t level = 0; level < peaks.size(); ++level) {
    std::vector<Fraction> roots{peaks[level]};
    for (std::size_t below = level; below-- > 0;) {
      std::vector<Fraction> before;
      for (const Fraction& root : roots) {
        before.push_back(root * peaks[below]);
        before.push_back(Fraction(1) - root * (Fraction(1) - peaks[below]));
      }
      roots = before;
    }
    points.insert(points.end(), roots.begin(), roots.end());
  }
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  const auto value = [&](Fraction u) {
    Fraction sum(0);
    for (std::size_t i = 0; i < peaks.size(); ++i) {
      u = exact_tent(peaks[i], u);
      sum = sum + scales[i] * u;
    }
    return sum;
  };
  std::size_t regions = 0;
  Fraction before(0);
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const Fraction slope = (value(points[i + 1]) - value(points[i])) / (points[i + 1] - points[i]);
    if (regions == 0 || !(slope == before)) ++regions;
    before = slope;
  }
  return regions;
}

TEST_CASE("random peaks give exactly 2^d regions up to depth 16") {
  for (int depth = 1; depth <= 16; ++depth) {
    for (std::uint32_t trial = 0; trial < (depth <= 10 ? 10u : 2u); ++trial) {
      base::RandomStream random(1, base::RandomPurpose::test, static_cast<std::uint32_t>(depth),
                                trial);
      const region::FoldedFunction function = random_function(depth, 2, 1, random);
      const region::RegionCount count =
          region::count_regions(region::to_network(function), function.interval());
      CHECK(count.activation_regions == power(2, depth));
      CHECK(count.linear_regions == power(2, depth));
    }
  }
}

TEST_CASE("m pieces give m^d regions and J windows J times as many") {
  for (const int fold : {2, 3, 4}) {
    for (const int windows : {1, 2, 7}) {
      for (const int depth : {1, 2, 5}) {
        base::RandomStream random(2, base::RandomPurpose::test,
                                  static_cast<std::uint32_t>(fold * 100 + windows),
                                  static_cast<std::uint32_t>(depth));
        const region::FoldedFunction function = random_function(depth, fold, windows, random);
        const region::RegionCount count =
            region::count_regions(region::to_network(function), function.interval());
        CHECK(count.activation_regions == windows * power(fold, depth));
        CHECK(count.linear_regions == windows * power(fold, depth));
      }
    }
  }
  base::RandomStream random(2, base::RandomPurpose::test, 1);
  const region::FoldedFunction function = random_function(5, 3, 1, random);
  CHECK(region::count_regions(region::to_network(function), function.interval()).linear_regions ==
        243);
}

TEST_CASE("counting in float64 agrees with exact rational arithmetic, merged slopes included") {
  for (int depth = 1; depth <= 4; ++depth) {
    for (std::uint32_t trial = 0; trial < 20; ++trial) {
      base::RandomStream random(3, base::RandomPurpose::test, static_cast<std::uint32_t>(depth),
                                trial);
      std::vector<Fraction> peaks, scales;
      region::FoldedFunction function;
      function.nodes = {0, 1};
      function.values = {0.25, -0.5};
      region::FoldedWindow window;
      for (int i = 0; i < depth; ++i) {
        peaks.emplace_back(static_cast<Integer>(1 + random.below(7)), 8);
        // Small integers, so that slopes of neighbours coincide now and then.
        scales.emplace_back(static_cast<Integer>(random.below(5)) - 1, 2);
        window.pieces.push_back({peaks.back().value(), 1 - peaks.back().value()});
        window.scales.push_back(scales.back().value());
      }
      function.windows = {window};
      const region::RegionCount count = region::count_regions(region::to_network(function), {0, 1});
      CHECK(count.linear_regions == static_cast<std::int64_t>(exact_linear_regions(peaks, scales)));
      CHECK(count.activation_regions == power(2, depth));
    }
  }
}

TEST_CASE("free scales can merge output regions but not activation regions") {
  region::FoldedFunction function;
  function.nodes = {0, 1};
  function.values = {0, 0};
  // With all peaks in the middle s_1 = s_0 / 4 would be the parabola; s_1 = s_0 / 2 makes the jump
  // at 1/2 vanish: -4 s_0 + 8 s_1 = 0.
  function.windows = {region::FoldedWindow{{{0.5, 0.5}, {0.5, 0.5}}, {1.0, 0.5}}};
  const region::RegionCount count = region::count_regions(region::to_network(function), {0, 1});
  CHECK(count.activation_regions == 4);
  CHECK(count.linear_regions == 3);
}

TEST_CASE("breakpoints and slopes describe the output of any network") {
  for (std::uint32_t trial = 0; trial < 20; ++trial) {
    base::RandomStream random(4, base::RandomPurpose::test, trial);
    region::ReluNetwork network;
    std::int64_t inputs = 1;
    for (const std::int64_t outputs : {6, 5, 4, 1}) {
      region::DenseLayer layer(outputs, inputs);
      for (double& w : layer.weight.flat()) w = random.normal();
      for (double& b : layer.bias) b = 0.5 * random.normal();
      network.layers.push_back(layer);
      inputs = outputs;
    }
    const region::RegionCount count = region::count_regions(network, {-2, 3});
    REQUIRE(count.breakpoints.size() == static_cast<std::size_t>(count.linear_regions) + 1);
    REQUIRE(count.slopes.size() == static_cast<std::size_t>(count.linear_regions));
    CHECK(count.breakpoints.front() == -2);
    CHECK(count.breakpoints.back() == 3);
    // Follow the slopes from the left end: the value at any x must come out, and no more pieces
    // than a grid finds can be wrong by more than rounding.
    double value = network(-2);
    for (std::size_t i = 0; i < count.slopes.size(); ++i) {
      const double left = count.breakpoints[i], right = count.breakpoints[i + 1];
      const double middle = 0.5 * (left + right);
      CHECK(network(middle) ==
            doctest::Approx(value + count.slopes[i] * (middle - left)).epsilon(1e-10));
      value += count.slopes[i] * (right - left);
    }
  }
}

TEST_CASE("the shape of a network is read from its slopes") {
  region::FoldedFunction function;
  function.nodes = {0, 1};
  function.values = {0, 2};
  const std::vector<double> peaks{0.4, 0.6, 0.5, 0.45};
  region::FoldedWindow window{{{0.4, 0.6}, {0.6, 0.4}, {0.5, 0.5}},
                              region::smooth_scales(peaks, -1.0)};
  function.windows = {window};
  region::FunctionShape shape =
      region::shape_of(region::count_regions(region::to_network(function), {0, 1}));
  CHECK(shape.convex);
  CHECK_FALSE(shape.concave);
  CHECK(shape.increasing);
  CHECK_FALSE(shape.decreasing);

  for (double& scale : function.windows[0].scales) scale = -scale;
  function.values = {0, -2};
  shape = region::shape_of(region::count_regions(region::to_network(function), {0, 1}));
  CHECK(shape.concave);
  CHECK_FALSE(shape.convex);
  CHECK(shape.decreasing);

  function.values = {0, 0};
  shape = region::shape_of(region::count_regions(region::to_network(function), {0, 1}));
  CHECK_FALSE(shape.increasing);
  CHECK_FALSE(shape.decreasing);

  for (double& scale : function.windows[0].scales) scale = 0;
  shape = region::shape_of(region::count_regions(region::to_network(function), {0, 1}));
  CHECK((shape.convex && shape.concave && shape.increasing && shape.decreasing));
}

TEST_CASE("wide networks are counted in stretches without losing or doubling a region") {
  base::RandomStream random(5, base::RandomPurpose::test);
  // 1200 neurons and 25,600 regions do not fit in one trace.
  const region::FoldedFunction function = random_function(6, 2, 400, random);
  const region::RegionCount count =
      region::count_regions(region::to_network(function), function.interval());
  CHECK(count.activation_regions == 400 * 64);
  CHECK(count.linear_regions == 400 * 64);
}

}  // namespace
}  // namespace asap::test
