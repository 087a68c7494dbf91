#include "region/ridge/network_choice.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "region/ridge/baselines.h"
#include "region/ridge/error_gain.h"

namespace asap::region {
namespace {

/// Differences of the share of the variance that is explained which do not count with long tails.
constexpr double kNearlyAsMuch = 1e-3;

/// How far outside the training rows a network is judged: all rows moved away from the middle, and
/// the outermost rows along a direction moved along it, by these parts of their distances from it.
constexpr double kBeyond = 0.25, kBeyondAlong = 0.5;

/// A network may stray there from the sum by this part of the sum's squares, or by this many times
/// the part by which it does on the validation rows, where it is the better of the two.
constexpr double kStray = 0.1, kTimesUnseen = 10;

/// Where all networks stray, one is kept only if the folded network has this many times its error.
constexpr double kMuchBetter = 10;

/// Some of the rows moved away from the middle. The targets are zero.
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

/// The outermost rows along a direction of length one, at both ends, moved along it by this part of
/// their distance from the middle. The targets are zero.
Rows moved_along(const Rows& rows, std::span<const double> direction, double part) {
  constexpr std::int64_t kMost = 250, kShare = 10;
  std::vector<std::pair<double, std::int64_t>> places;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const std::span<const double> row = rows.row(i);
    places.emplace_back(std::inner_product(row.begin(), row.end(), direction.begin(), 0.0), i);
  }
  std::ranges::sort(places);
  const std::int64_t count = std::clamp<std::int64_t>(rows.size() / kShare, 1, kMost);
  const double middle = places[places.size() / 2].first;
  Rows outside{tensor::Tensor<double>({2 * count, rows.inputs()}),
               std::vector<double>(static_cast<std::size_t>(2 * count))};
  for (std::int64_t k = 0; k < 2 * count; ++k) {
    const std::int64_t from = k < count ? k : rows.size() - 1 - (k - count);
    const auto& [place, row] = places[static_cast<std::size_t>(from)];
    for (std::int64_t j = 0; j < rows.inputs(); ++j)
      outside.x[k * rows.inputs() + j] =
          rows.row(row)[static_cast<std::size_t>(j)] +
          part * (place - middle) * direction[static_cast<std::size_t>(j)];
  }
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

bool has_tails(const RidgeSum& sum) {
  return std::ranges::any_of(sum.ridges, [](const RidgeSpline& ridge) { return ridge.reach > 0; });
}

double sureness(const ReluNetwork& a, const ReluNetwork& b, const Rows& rows) {
  std::vector<double> gain = values_of(a, rows), second = values_of(b, rows);
  for (std::size_t i = 0; i < gain.size(); ++i)
    gain[i] = (gain[i] - rows.y[i]) * (gain[i] - rows.y[i]) -
              (second[i] - rows.y[i]) * (second[i] - rows.y[i]);
  return sureness_of(gain);
}

double NetworkChoice::distance_from_sum(const ReluNetwork& network, const Rows& rows) const {
  const std::vector<double> values = values_of(network, rows);
  double squares = 0, own = 0;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const double line = sum(rows.row(i)), distance = values[static_cast<std::size_t>(i)] - line;
    squares += distance * distance;
    own += line * line;
  }
  return squares / std::max(own, std::numeric_limits<double>::min());
}

bool NetworkChoice::holds_around(const ReluNetwork& network, double allowed) const {
  return distance_from_sum(network, moved_outwards(training, 1 + kBeyond)) <= allowed;
}

bool NetworkChoice::holds_outside(const ReluNetwork& network) const {
  const double allowed = std::max(kStray, kTimesUnseen * distance_from_sum(network, validation));
  if (!holds_around(network, allowed)) return false;
  std::vector<std::vector<double>> directions;
  for (std::int64_t j = 0; j < training.inputs(); ++j) {
    directions.emplace_back(static_cast<std::size_t>(training.inputs()));
    directions.back()[static_cast<std::size_t>(j)] = 1;
  }
  for (const RidgeSpline& ridge : sum.ridges) directions.push_back(ridge.direction);
  return std::ranges::all_of(directions, [&](const std::vector<double>& direction) {
    return distance_from_sum(network, moved_along(training, direction, kBeyondAlong)) <= allowed;
  });
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
  std::vector<std::size_t> candidates, straying;
  std::vector<double> errors;
  const double folded_error = network_error(folded, validation);
  for (std::size_t k = 0; k < networks.size(); ++k) {
    errors.push_back(network_error(networks[k], validation));
    if (sureness(folded, networks[k], validation) <= 1) continue;
    if (holds_outside(networks[k]))
      candidates.push_back(k);
    else if (errors[k] * kMuchBetter < folded_error && holds_around(networks[k], 1))
      straying.push_back(k);
  }
  if (candidates.empty()) candidates = std::move(straying);
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
