#include "region/ridge/error_gain.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace asap::region {

double sureness_of(const std::vector<double>& gain) {
  const auto count = static_cast<double>(gain.size());
  double mean = 0, squares = 0;
  for (const double value : gain) mean += value / count;
  for (const double value : gain) squares += (value - mean) * (value - mean) / count;
  if (!(mean > 0)) return 0;
  const double error = std::sqrt(squares / count);
  const double of_mean = error > 0 ? mean / error : std::numeric_limits<double>::infinity();
  const auto better =
      static_cast<double>(std::ranges::count_if(gain, [](double value) { return value > 0; }));
  return std::max(of_mean, (better - count / 2) / (std::sqrt(count) / 2));
}

}  // namespace asap::region
