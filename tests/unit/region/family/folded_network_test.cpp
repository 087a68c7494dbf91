#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/random.h"
#include "region/family/curvature.h"
#include "region/family/floor.h"
#include "region/family/linear_part.h"

namespace asap {
namespace {

region::FoldedFunction random_function(int depth, int fold, int windows, std::uint32_t stream) {
  base::RandomStream random(7, base::RandomPurpose::test, stream);
  region::FoldedFunction function;
  for (int j = 0; j <= windows; ++j) {
    function.nodes.push_back(j + 0.3 * random.uniform() - 1);
    function.values.push_back(random.normal());
  }
  for (int j = 0; j < windows; ++j) {
    region::FoldedWindow window;
    for (int i = 0; i < depth; ++i) {
      std::vector<double> pieces;
      double total = 0;
      for (int k = 0; k < fold; ++k) total += pieces.emplace_back(random.uniform(0.3, 0.7));
      for (double& piece : pieces) piece /= total;
      window.pieces.push_back(pieces);
      for (int k = 1; k < fold; ++k)
        window.scales.push_back(std::pow(fold, -2 * i) * random.uniform(-1, 1));
    }
    function.windows.push_back(window);
  }
  return function;
}

region::Samples dense_samples(const numerics::Curve& f, numerics::Interval interval, int count) {
  region::Samples samples;
  for (int i = 0; i < count; ++i) {
    samples.x.push_back(interval.at(static_cast<double>(i) / (count - 1)));
    samples.y.push_back(f(samples.x.back()));
  }
  return samples;
}

double error_of(const region::FoldedFunction& function, const region::Samples& samples) {
  std::vector<double> prediction(samples.x.size());
  region::to_network(function).evaluate(samples.x, prediction);
  return region::mean_squared_error(samples, prediction);
}

TEST_CASE("the network of a folded function computes that function") {
  for (const int fold : {2, 3, 4}) {
    for (const int windows : {1, 2, 5}) {
      for (const int depth : {1, 2, 5}) {
        const region::FoldedFunction function = random_function(depth, fold, windows, 1);
        const region::ReluNetwork network = region::to_network(function);
        CHECK(network.depth() == depth);
        const numerics::Interval interval = function.interval();
        double largest = 0;
        for (int i = 0; i <= 1000; ++i) {
          const double x = interval.at(i / 1000.0);
          largest = std::max(largest, std::abs(network(x) - function(x)));
        }
        // Slopes up to (fold / 0.3)^depth times 1e-16, times the lift of the sum neuron (about
        // ten).
        CHECK(largest < 1e-11);
      }
    }
  }
}

TEST_CASE("one window of two pieces is the paper's network of width four with 93 parameters") {
  const region::ReluNetwork network = region::to_network(random_function(5, 2, 1, 2));
  CHECK(network.parameter_count() == 93);
  for (std::size_t l = 0; l + 1 < network.layers.size(); ++l)
    CHECK(network.layers[l].outputs() == 4);
  CHECK(region::to_network(random_function(5, 3, 1, 2)).parameter_count() == 93);
  CHECK(region::to_network(random_function(5, 2, 8, 2)).layers.front().outputs() == 17);
}

TEST_CASE("Theorem 3.1 with all peaks in the middle is the interpolated parabola") {
  // u (1 - u) has F'(0) - F'(1) = 2, and its interpolation at multiples of 1/16 is exact there.
  const std::vector<double> peaks(5, 0.5);
  region::FoldedFunction function = random_function(4, 2, 1, 3);
  function.nodes = {0, 1};
  function.values = {0, 0};
  function.windows[0].pieces.assign(4, {0.5, 0.5});
  function.windows[0].scales = region::smooth_scales(peaks, 2.0);
  for (int k = 0; k <= 16; ++k) {
    const double u = k / 16.0;
    CHECK(function(u) == doctest::Approx(u * (1 - u)).epsilon(1e-15));
  }
}

TEST_CASE("Theorem 3.1 makes neighbouring slopes meet as the depth grows") {
  base::RandomStream random(11, base::RandomPurpose::test);
  std::vector<double> peaks;
  for (int i = 0; i < 19; ++i) peaks.push_back(random.uniform(0.3, 0.7));
  const auto jump_at_peak = [&](int depth) {
    region::FoldedFunction function;
    function.nodes = {0, 1};
    function.values = {0, 0};
    region::FoldedWindow window;
    for (int i = 0; i < depth; ++i) window.pieces.push_back({peaks[i], 1 - peaks[i]});
    window.scales =
        region::smooth_scales(std::span(peaks).first(static_cast<std::size_t>(depth) + 1), 1.0);
    function.windows = {window};
    const double h = 1e-9;
    return std::abs((function(peaks[0] + h) - 2 * function(peaks[0]) + function(peaks[0] - h)) / h);
  };
  // Each level shrinks the jump by a factor of at most 1 - a <= 0.7.
  CHECK(jump_at_peak(18) < 0.02 * jump_at_peak(2));
}

TEST_CASE(
    "curvature folding splits a parabola evenly, at every level and for any number of pieces") {
  const numerics::Curve parabola = [](double x) { return 3 * x * x - x; };
  for (const int fold : {2, 3, 5}) {
    const region::FoldedWindow window = region::fold_by_curvature(parabola, {-2, 3}, 4, fold);
    for (const auto& level : window.pieces)
      // The profile lives on 2048 cells.
      for (const double piece : level) CHECK(piece == doctest::Approx(1.0 / fold).epsilon(1e-3));
  }
}

TEST_CASE("x squared is fitted at the optimum of 32 pieces, 5.30e-9") {
  const numerics::Curve square = [](double x) { return x * x; };
  region::FoldedFunction function = region::curvature_folding(square, {0, 1}, 5, 2, 1);
  const region::Samples samples = dense_samples(square, {0, 1}, 20001);
  region::fit_linear_part(function, samples);
  // 4 / (720 * 32^4) is the least error of 32 pieces.
  CHECK(error_of(function, samples) == doctest::Approx(5.298e-9).epsilon(0.01));
}

TEST_CASE("the linear part recovers a folded function from its values, in every window") {
  for (const int fold : {2, 3}) {
    const region::FoldedFunction truth = random_function(4, fold, 3, 5);
    const numerics::Curve f = [&](double x) { return truth(x); };
    region::FoldedFunction function = truth;
    for (region::FoldedWindow& window : function.windows)
      for (double& scale : window.scales) scale = 0;
    for (double& value : function.values) value += 0.5;
    region::fit_linear_part(function, dense_samples(f, truth.interval(), 6001));
    for (std::size_t j = 0; j < truth.windows.size(); ++j)
      for (std::size_t k = 0; k < truth.windows[j].scales.size(); ++k)
        // The ridge of 1e-11 of the diagonal, times the condition of the tents (below 1e3).
        CHECK(std::abs(function.windows[j].scales[k] - truth.windows[j].scales[k]) < 1e-8);
  }
}

TEST_CASE("weights decide where a fit is good") {
  region::Samples samples = dense_samples([](double x) { return std::abs(x); }, {-1, 1}, 401);
  for (const double x : samples.x) samples.weight.push_back(x < 0 ? 1e6 : 1.0);
  region::FoldedFunction line;
  line.nodes = {-1, 1};
  line.values = {0, 0};
  line.windows.resize(1);
  region::fit_linear_part(line, samples);
  // The left half alone asks for -x; the right half weighs a millionth.
  CHECK(line.values[0] == doctest::Approx(1).epsilon(1e-4));
  CHECK(line.values[1] == doctest::Approx(-1).epsilon(1e-4));
}

TEST_CASE("eight windows of depth five reach the measured errors without any polishing") {
  struct Case {
    numerics::Curve f;
    numerics::Interval interval;
    double error;
  };
  const std::vector<Case> cases = {
      {[](double x) { return std::sin(x); }, {0, 2 * std::numbers::pi}, 2e-7},
      {[](double x) { return std::tanh(3 * x); }, {-1, 1}, 3e-8},
      {[](double x) { return x * x * x; }, {0, 1}, 7e-10}};
  for (const Case& c : cases) {
    region::FoldedFunction function = region::curvature_folding(c.f, c.interval, 5, 2, 8);
    const region::Samples samples = dense_samples(c.f, c.interval, 20001);
    region::fit_linear_part(function, samples);
    CHECK(error_of(function, samples) < c.error);
  }
}

TEST_CASE("the free-knot floor of a parabola is 4 / (720 pieces^4)") {
  for (const int pieces : {1, 2, 8, 32}) {
    const region::FreeKnotFloor floor =
        region::free_knot_floor([](double x) { return x * x; }, {0, 1}, pieces);
    const double exact = 4 / (720 * std::pow(pieces, 4));
    CHECK(floor.asymptotic == doctest::Approx(exact).epsilon(1e-3));
    // 64 samples a piece stand for the integral.
    CHECK(floor.refined == doctest::Approx(exact).epsilon(5e-3));
  }
}

TEST_CASE("refined floors of x^3 and x^11 with 32 pieces are within four per cent of the formula") {
  for (const int power : {3, 11}) {
    const numerics::Curve f = [power](double x) { return std::pow(x, power); };
    const region::FreeKnotFloor floor = region::free_knot_floor(f, {0, 1}, 32);
    CHECK(std::abs(floor.refined / floor.asymptotic - 1) < 0.04);
    CHECK(floor.knots.size() == 33);
  }
  CHECK_THROWS_AS(region::free_knot_floor([](double x) { return x; }, {0, 1}, 0), base::UsageError);
}

TEST_CASE("a corner is found exactly: the floor of |x| with two pieces is zero") {
  const region::FreeKnotFloor floor =
      region::free_knot_floor([](double x) { return std::abs(x); }, {-1, 1}, 2);
  CHECK(floor.refined < 1e-20);
  CHECK(std::abs(floor.knots[1]) < 1e-8);
}

TEST_CASE("the difference of two networks computes the difference") {
  const region::FoldedFunction first = random_function(3, 2, 1, 8),
                               second = random_function(3, 3, 2, 9);
  const region::ReluNetwork a = region::to_network(first), b = region::to_network(second),
                            both = region::difference(a, b);
  for (const double x : {-0.9, -0.3, 0.1, 0.6, 1.1})
    CHECK(both(x) == doctest::Approx(a(x) - b(x)).epsilon(1e-12));
  CHECK_THROWS_AS(region::difference(a, region::to_network(random_function(2, 2, 1, 8))),
                  base::UsageError);
}

TEST_CASE("a folded function with a piece of no length is refused") {
  region::FoldedFunction function = random_function(2, 2, 1, 10);
  function.windows[0].pieces[1] = {0.0, 1.0};
  CHECK_THROWS_AS(region::to_network(function), base::NumericalError);
}

}  // namespace
}  // namespace asap
