#include "region/network/samples.h"

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

}  // namespace asap::region
