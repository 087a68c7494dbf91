#include "base/random.h"

#include <cmath>
#include <set>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

using namespace asap::base;

TEST_CASE(
    "a random stream is a pure function of its key, and keys that differ give other numbers") {
  RandomStream a(1, RandomPurpose::test, 2, 3), b(1, RandomPurpose::test, 2, 3);
  std::set<std::uint32_t> first;
  for (int i = 0; i < 100; ++i) CHECK(a.next() == b.next());
  for (const auto& [seed, x, y] :
       std::vector<std::tuple<int, int, int>>{{1, 2, 3}, {2, 2, 3}, {1, 3, 3}, {1, 2, 4}})
    first.insert(RandomStream(seed, RandomPurpose::test, x, y).next());
  first.insert(RandomStream(1, RandomPurpose::dropout, 2, 3).next());
  CHECK(first.size() == 5);
}

TEST_CASE("uniform, normal and below have the moments they should") {
  RandomStream random(1, RandomPurpose::test);
  constexpr int kDraws = 200000;
  double uniform = 0, normal = 0, square = 0;
  std::vector<int> counts(7);
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    uniform += u;
    const double z = random.normal();
    normal += z;
    square += z * z;
    ++counts[random.below(7)];
  }
  // Five standard errors: .29, 1 and 1.41 over sqrt(200000), and sqrt(p (1 - p) n) = 156 for the
  // counts.
  CHECK(std::abs(uniform / kDraws - 0.5) < 5 * 0.29 / std::sqrt(kDraws));
  CHECK(std::abs(normal / kDraws) < 5 / std::sqrt(kDraws));
  CHECK(std::abs(square / kDraws - 1) < 5 * 1.42 / std::sqrt(kDraws));
  for (const int count : counts) CHECK(std::abs(count - kDraws / 7.0) < 5 * 157);
}
