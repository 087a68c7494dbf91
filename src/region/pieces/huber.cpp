#include "region/pieces/huber.h"

#include <algorithm>
#include <cmath>

namespace asap::region {
namespace {

constexpr double kTuning = 1.345;  // 95 % efficient for normal noise
constexpr int kRounds = 12;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Samples whose weights are multiplied by min(1, limit / |residual|). Residuals count in
/// deviations of their own points: times the root of the weight.
Samples reweighted(const Samples& samples, std::vector<double> residuals) {
  Samples result = samples;
  for (std::size_t i = 0; i < residuals.size(); ++i)
    residuals[i] =
        std::abs(residuals[i]) * std::sqrt(samples.weight_at(static_cast<std::int64_t>(i)));
  const double limit = kTuning * 1.4826 * median(residuals);
  result.weight.resize(residuals.size());
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    const double share = residuals[i] > limit ? limit / residuals[i] : 1;
    // A perfect fit of most points has no deviation: the others then hardly count.
    result.weight[i] = samples.weight_at(static_cast<std::int64_t>(i)) * std::max(share, 1e-9);
  }
  return result;
}

}  // namespace

Samples with_huber_weights(const Samples& samples) {
  constexpr std::size_t kNeighbours = 5;  // on each side
  std::vector<double> residuals;
  for (std::size_t i = 0; i < samples.y.size(); ++i) {
    const std::size_t first = i < kNeighbours ? 0 : i - kNeighbours;
    const std::size_t last = std::min(i + kNeighbours + 1, samples.y.size());
    const auto begin = samples.y.begin();
    residuals.push_back(samples.y[i] - median({begin + static_cast<std::ptrdiff_t>(first),
                                               begin + static_cast<std::ptrdiff_t>(last)}));
  }
  return reweighted(samples, std::move(residuals));
}

PiecewiseLinear huber_refined(PiecewiseLinear function, const Samples& samples,
                              const PointsRefinement& refined) {
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> residuals;
    for (std::size_t i = 0; i < samples.x.size(); ++i)
      residuals.push_back(function(samples.x[i]) - samples.y[i]);
    function = refined(function, reweighted(samples, std::move(residuals))).function;
  }
  return function;
}

}  // namespace asap::region
