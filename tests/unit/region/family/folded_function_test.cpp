#include "region/family/folded_function.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "support/folded_functions.h"

namespace asap::test {
namespace {

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

}  // namespace
}  // namespace asap::test
