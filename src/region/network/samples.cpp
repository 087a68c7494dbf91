#include "region/network/samples.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace asap::region {

double Samples::total_weight() const {
  if (weight.empty()) return static_cast<double>(x.size());
  double total = 0;
  for (const double w : weight) total += w;
  return total;
}

double mean_squared_error(const Samples& samples, const std::vector<double>& prediction) {
  base::check(prediction.size() == samples.x.size(), "mean_squared_error: sizes differ");
  double sum = 0;
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    const double error = prediction[i] - samples.y[i];
    sum += samples.weight_at(i) * error * error;
  }
  return sum / samples.total_weight();
}

double Spread::mean_variance(const Samples& samples) const {
  double sum = 0;
  for (std::size_t i = 0; i < variance.size(); ++i)
    sum += samples.weight_at(static_cast<std::int64_t>(i)) * variance[i];
  return sum > 0 ? sum / samples.total_weight() : 0;
}

double max_error(const Samples& samples, const Spread& spread,
                 const std::vector<double>& prediction) {
  double largest = 0;
  for (std::size_t i = 0; i < prediction.size(); ++i) {
    const double low = spread.empty() ? samples.y[i] : spread.low[i],
                 high = spread.empty() ? samples.y[i] : spread.high[i];
    largest = std::max({largest, std::abs(prediction[i] - low), std::abs(prediction[i] - high)});
  }
  return largest;
}

}  // namespace asap::region
