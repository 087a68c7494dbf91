#include "numerics/two_samples.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace asap::numerics {

double kolmogorov_smirnov_distance(std::span<const float> one, std::span<const float> other) {
  base::check(!one.empty() && !other.empty(), "kolmogorov_smirnov_distance: an empty sample");
  double largest = 0;
  std::size_t i = 0, j = 0;
  while (i < one.size() && j < other.size()) {
    const float value = std::min(one[i], other[j]);
    while (i < one.size() && one[i] <= value) ++i;
    while (j < other.size() && other[j] <= value) ++j;
    largest =
        std::max(largest, std::abs(static_cast<double>(i) / static_cast<double>(one.size()) -
                                   static_cast<double>(j) / static_cast<double>(other.size())));
  }
  return largest;
}

double kolmogorov_smirnov_probability(double distance, std::int64_t one, std::int64_t other) {
  const auto n = static_cast<double>(one), m = static_cast<double>(other);
  const double root = std::sqrt(n * m / (n + m));
  const double x = (root + 0.12 + 0.11 / root) * distance;
  if (x < 0.3) return 1;  // the series converges too slowly, and is above 0.99999
  double total = 0;
  for (int k = 1; k <= 100; ++k) total += (k % 2 == 1 ? 2 : -2) * std::exp(-2.0 * k * k * x * x);
  return std::clamp(total, 0.0, 1.0);
}

}  // namespace asap::numerics
