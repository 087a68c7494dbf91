#include "numerics/cubic_splines.h"

#include <cmath>

#include <doctest/doctest.h>

namespace asap::test {
namespace {

TEST_CASE("cubic splines sum to one, follow their slopes and go on straight") {
  const numerics::CubicSplines splines({-1, 3}, 6);
  for (const double x : {-2.5, -0.9, -0.3, 0.999, 2.2, 2.9, 7.5}) {
    const numerics::CubicSplinesAt at = splines.at(x), ahead = splines.at(x + 1e-6),
                                   back = splines.at(x - 1e-6);
    double total = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      total += at.value[k];
      // Across the end of a cell the four are others.
      if (ahead.first == back.first)
        CHECK(std::abs((ahead.value[k] - back.value[k]) / 2e-6 - at.slope[k]) < 1e-6);
    }
    CHECK(total == doctest::Approx(1).epsilon(1e-14));
  }
  CHECK(splines.at(9).slope == splines.at(3).slope);
}

}  // namespace
}  // namespace asap::test
