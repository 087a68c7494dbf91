#include "evaluate/compare/time_estimate.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"

using namespace asap::base;
using namespace asap::evaluate;

namespace {

using Turns = std::vector<std::vector<double>>;

/// Times of methods that need `costs` seconds per example, in turns of 100 examples on a machine
/// that is up to three times as slow for a while, with noise of 2 %.
Turns drawn_turns(const std::vector<double>& costs, int turns, std::uint64_t seed) {
  RandomStream random(seed, RandomPurpose::test);
  Turns seconds(costs.size());
  for (int t = 0; t < turns; ++t) {
    const double load = 1 + 2 * random.uniform();
    for (std::size_t m = 0; m < costs.size(); ++m)
      seconds[m].push_back(100 * costs[m] * load * std::exp(0.02 * random.normal()));
  }
  return seconds;
}

std::vector<std::int64_t> hundreds(int turns) {
  return std::vector<std::int64_t>(static_cast<std::size_t>(turns), 100);
}

}  // namespace

TEST_CASE("methods that do the same agree within their intervals on a busy machine") {
  int apart = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto times = estimate_times(drawn_turns({1, 1, 0.5, 2}, 24, seed), hundreds(24));
    const double half = times[0].seconds * times[0].interval + times[1].seconds * times[1].interval;
    if (std::abs(times[0].seconds - times[1].seconds) > half) ++apart;
    // The noise of 24 turns is 0.4 %, two of its errors 0.8 %.
    CHECK(times[0].interval > 0.003);
    CHECK(times[0].interval < 0.02);
    CHECK(times[2].seconds / times[3].seconds == doctest::Approx(0.25).epsilon(0.03));
  }
  // Twice two errors are 2.8 deviations of the difference, beyond which 0.5 % lie.
  CHECK(apart <= 5);
}

TEST_CASE("one turn that something else interrupts moves neither the time nor the interval much") {
  Turns seconds = drawn_turns({1, 1, 1}, 24, 7);
  const auto quiet = estimate_times(seconds, hundreds(24));
  seconds[1][5] *= 40;
  const auto disturbed = estimate_times(seconds, hundreds(24));
  CHECK(disturbed[1].seconds == doctest::Approx(quiet[1].seconds).epsilon(0.02));
  CHECK(disturbed[1].interval < 0.05);
}

TEST_CASE("long and short examples count by their time") {
  // The second method saves time only on the long examples of the second turn.
  const Turns seconds = {{1, 9, 1, 9}, {1, 5, 1, 5}, {1, 9, 1, 9}};
  const std::vector<std::int64_t> examples = {10, 10, 10, 10};
  const auto times = estimate_times(seconds, examples);
  CHECK(times[0].seconds == doctest::Approx(0.5));
  CHECK(times[1].seconds == doctest::Approx(0.3));
  CHECK(times[1].interval > 0.1);  // four turns that differ this much say little
}

TEST_CASE("a method alone is measured by its examples, and a single turn has no interval") {
  const std::vector<std::int64_t> examples = {10, 20, 10, 20};
  const auto alone = estimate_times({{1, 2, 1, 2}}, examples);
  CHECK(alone[0].seconds == doctest::Approx(0.1));
  CHECK(alone[0].interval == doctest::Approx(0.0));
  const auto single = estimate_times({{1}, {2}}, std::vector<std::int64_t>{4});
  CHECK(single[1].seconds == doctest::Approx(0.5));
  CHECK(std::isnan(single[1].interval));
}
