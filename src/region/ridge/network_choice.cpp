#include "region/ridge/network_choice.h"

#include <algorithm>

#include "region/ridge/baselines.h"
#include "region/ridge/error_gain.h"

namespace asap::region {
namespace {

/// Differences of the share of the variance that is explained which do not count with long tails.
constexpr double kNearlyAsMuch = 1e-3;

/// Some of the training rows moved away from the middle. The targets are zero.
Rows moved_outwards(const Rows& rows, double factor) {
  constexpr std::int64_t kMost = 500;
  const std::int64_t step = std::max<std::int64_t>(1, rows.size() / kMost);
  const std::int64_t count = (rows.size() + step - 1) / step;
  Rows outside{tensor::Tensor<double>({count, rows.inputs()}),
               std::vector<double>(static_cast<std::size_t>(count))};
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t j = 0; j < rows.inputs(); ++j)
      outside.x[i * rows.inputs() + j] = factor * rows.row(i * step)[static_cast<std::size_t>(j)];
  return outside;
}

std::vector<double> values_of(const ReluNetwork& network, const Rows& rows) {
  std::vector<double> values(rows.y.size());
  network.evaluate(rows.x.rows(), values);
  return values;
}

bool has_long_tails(const RidgeSum& sum) {
  return std::ranges::any_of(sum.ridges,
                             [](const RidgeSpline& ridge) { return ridge.reach > 0.25; });
}

}  // namespace

double sureness(const ReluNetwork& a, const ReluNetwork& b, const Rows& rows) {
  std::vector<double> gain = values_of(a, rows), second = values_of(b, rows);
  for (std::size_t i = 0; i < gain.size(); ++i)
    gain[i] = (gain[i] - rows.y[i]) * (gain[i] - rows.y[i]) -
              (second[i] - rows.y[i]) * (second[i] - rows.y[i]);
  return sureness_of(gain);
}

bool NetworkChoice::holds_outside(const ReluNetwork& network) const {
  const Rows outside = moved_outwards(training, 1.25);
  const std::vector<double> values = values_of(network, outside);
  double squares = 0, own = 0;
  for (std::int64_t i = 0; i < outside.size(); ++i) {
    const double line = sum(outside.row(i)), distance = values[static_cast<std::size_t>(i)] - line;
    squares += distance * distance;
    own += line * line;
  }
  return squares <= own;
}

std::size_t NetworkChoice::nearest_to_median(const std::vector<ReluNetwork>& networks,
                                             const std::vector<std::size_t>& candidates) const {
  const Rows outside = moved_outwards(training, 3);
  std::vector<std::vector<double>> values;
  for (const std::size_t k : candidates) values.push_back(values_of(networks[k], outside));
  std::vector<double> distances(candidates.size());
  for (std::size_t i = 0; i < outside.y.size(); ++i) {
    std::vector<double> here;
    for (const std::vector<double>& own : values) here.push_back(own[i]);
    std::ranges::nth_element(here, here.begin() + static_cast<std::ptrdiff_t>(here.size() / 2));
    for (std::size_t c = 0; c < values.size(); ++c) {
      const double distance = values[c][i] - here[here.size() / 2];
      distances[c] += distance * distance;
    }
  }
  return candidates[static_cast<std::size_t>(std::ranges::min_element(distances) -
                                             distances.begin())];
}

std::optional<std::size_t> NetworkChoice::best_of(const std::vector<ReluNetwork>& networks) const {
  std::vector<std::size_t> candidates;
  std::vector<double> errors;
  for (std::size_t k = 0; k < networks.size(); ++k) {
    errors.push_back(network_error(networks[k], validation));
    if (sureness(folded, networks[k], validation) > 1 && holds_outside(networks[k]))
      candidates.push_back(k);
  }
  if (candidates.empty()) return std::nullopt;
  const std::size_t best =
      *std::ranges::min_element(candidates, {}, [&](std::size_t k) { return errors[k]; });
  if (!has_long_tails(sum)) return best;
  // Rows are standardised: the variance is one.
  std::erase_if(candidates,
                [&](std::size_t k) { return errors[k] > errors[best] + kNearlyAsMuch; });
  return candidates.size() < 3 ? best : nearest_to_median(networks, candidates);
}

}  // namespace asap::region
