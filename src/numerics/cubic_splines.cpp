#include "numerics/cubic_splines.h"

#include <algorithm>
#include <cmath>

namespace asap::numerics {

CubicSplinesAt CubicSplines::at(double x) const {
  const double cell = interval_.length() / cells_;
  const double inside = std::clamp(x, interval_.low, interval_.high);
  const double position = (inside - interval_.low) / cell;
  CubicSplinesAt result;
  result.first = std::clamp(static_cast<int>(position), 0, cells_ - 1);
  const double t = position - result.first, s = 1 - t;
  result.value = {s * s * s / 6, (4 - 6 * t * t + 3 * t * t * t) / 6,
                  (4 - 6 * s * s + 3 * s * s * s) / 6, t * t * t / 6};
  result.slope = {-s * s / (2 * cell), (3 * t * t - 4 * t) / (2 * cell),
                  (4 * s - 3 * s * s) / (2 * cell), t * t / (2 * cell)};
  if (x != inside)
    for (std::size_t k = 0; k < 4; ++k) result.value[k] += result.slope[k] * (x - inside);
  return result;
}

}  // namespace asap::numerics
