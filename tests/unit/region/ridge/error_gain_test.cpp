#include "region/ridge/error_gain.h"

#include <limits>

#include <doctest/doctest.h>

namespace asap::test {
namespace {

TEST_CASE("a gain is as sure as its mean or its share of rows") {
  CHECK(region::sureness_of({1, -2, 1, -2}) == 0);  // worse in the mean
  CHECK(region::sureness_of({1, 1, 1, 1}) == std::numeric_limits<double>::infinity());
  // Mean 1, deviation 2: error 2 / sqrt(4) = 1. Three of four rows gain: (3 - 2) / 1.
  CHECK(region::sureness_of({2, 2, 2, -2}) == doctest::Approx(1 / (1.7320508 / 2)));
  // A hundred rows gain, one of them a thousand times as much as the others.
  std::vector<double> gain(100, 1.0);
  gain[3] = 1000;
  CHECK(region::sureness_of(gain) == doctest::Approx(10));
}

}  // namespace
}  // namespace asap::test
