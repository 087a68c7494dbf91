#include "region/fit/continued_ends.h"

#include <algorithm>
#include <cmath>

#include "region/network/region_count.h"

namespace asap::region {
namespace {

constexpr double kLengths = 64;

/// Values and slopes of a network at both ends of an interval.
struct EndLines {
  double low = 0, high = 0, first = 0, last = 0;

  EndLines(const ReluNetwork& network, numerics::Interval interval)
      : low(network(interval.low)), high(network(interval.high)) {
    const RegionCount regions = count_regions(network, interval);
    first = regions.slopes.front();
    last = regions.slopes.back();
  }
};

/// A layer with more rows and columns, zero.
DenseLayer grown(const DenseLayer& layer, std::int64_t rows, std::int64_t columns) {
  DenseLayer result(layer.outputs() + rows, layer.inputs() + columns);
  for (std::int64_t k = 0; k < layer.outputs(); ++k) {
    for (std::int64_t j = 0; j < layer.inputs(); ++j) result.w(k, j) = layer.w(k, j);
    result.bias[static_cast<std::size_t>(k)] = layer.bias[static_cast<std::size_t>(k)];
  }
  return result;
}

/// Moves the corners of first neurons that switch outside the interval away, or switches the
/// neurons off: `next` reads what they had.
void clear_outside(DenseLayer& first, DenseLayer& next, numerics::Interval interval) {
  for (std::int64_t k = 0; k < first.outputs(); ++k) {
    double& bias = first.bias[static_cast<std::size_t>(k)];
    const double low = first.w(k, 0) * interval.low + bias;
    const double high = first.w(k, 0) * interval.high + bias;
    if (low <= 0 && high <= 0) first.w(k, 0) = bias = 0;
    if (!(low >= 0 && high >= 0)) continue;
    const double shift = kLengths * std::abs(first.w(k, 0)) * interval.length();
    bias += shift;
    for (std::int64_t j = 0; j < next.outputs(); ++j)
      next.bias[static_cast<std::size_t>(j)] -= next.w(j, k) * shift;
  }
}

/// Slope of a first neuron just outside the low or the high end.
double outside_slope(const DenseLayer& first, std::int64_t k, double end, bool left) {
  const double weight = first.w(k, 0), at = weight * end + first.bias[static_cast<std::size_t>(k)];
  const bool on = at > 0 || (at == 0 && (left ? weight < 0 : weight > 0));
  return on ? weight : 0;
}

}  // namespace

bool ends_continue(const ReluNetwork& network, numerics::Interval interval) {
  const EndLines ends(network, interval);
  double size = 0;
  for (const double value :
       {ends.low, ends.high, ends.first * interval.length(), ends.last * interval.length()})
    size = std::max(size, std::abs(value));
  const double low = ends.low - ends.first * interval.length();
  const double high = ends.high + ends.last * interval.length();
  const RegionCount beyond =
      count_regions(network, {interval.low - interval.length(), interval.high + interval.length()});
  const bool bends = std::ranges::any_of(beyond.breakpoints, [&](double x) {
    const double inside = 1e-9 * interval.length();
    return (x > interval.low - interval.length() && x < interval.low - inside) ||
           (x > interval.high + inside && x < interval.high + interval.length());
  });
  return !bends && std::abs(network(interval.low - interval.length()) - low) <= 1e-9 * size &&
         std::abs(network(interval.high + interval.length()) - high) <= 1e-9 * size;
}

ReluNetwork with_continued_ends(const ReluNetwork& network, numerics::Interval interval) {
  if (ends_continue(network, interval)) return network;
  const EndLines ends(network, interval);
  ReluNetwork result;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const bool output = l + 1 == network.layers.size();
    result.layers.push_back(grown(network.layers[l],
                                  l == 0   ? 2
                                  : output ? 0
                                           : 1,
                                  l == 0   ? 0
                                  : l == 1 ? 2
                                           : 1));
  }
  DenseLayer &first = result.layers[0], &next = result.layers[1];
  clear_outside(first, next, interval);
  const std::int64_t left = first.outputs() - 2, right = left + 1;
  first.w(left, 0) = -1;
  first.bias[static_cast<std::size_t>(left)] = interval.low;
  first.w(right, 0) = 1;
  first.bias[static_cast<std::size_t>(right)] = -interval.high;
  for (std::int64_t j = 0; j < next.outputs(); ++j) {
    for (std::int64_t k = 0; k < left; ++k) {
      next.w(j, left) += next.w(j, k) * outside_slope(first, k, interval.low, true);
      next.w(j, right) -= next.w(j, k) * outside_slope(first, k, interval.high, false);
    }
  }
  const auto add_lines = [&](std::int64_t row) {
    next.w(row, left) -= ends.first;
    next.w(row, right) += ends.last;
  };
  if (network.depth() == 1) {
    add_lines(0);
    return result;
  }
  const double steepest =
      interval.length() * std::max({0.0, ends.first, -ends.last});  // of what falls outwards
  const double size = std::abs(ends.high - ends.low) + std::abs(ends.low);
  const double lift = std::max(steepest, kLengths * std::min(steepest, size));
  const std::int64_t carrier = next.outputs() - 1;
  add_lines(carrier);
  next.bias[static_cast<std::size_t>(carrier)] = lift;
  for (std::size_t l = 2; l < result.layers.size(); ++l) {
    DenseLayer& layer = result.layers[l];
    layer.w(l + 1 == result.layers.size() ? 0 : layer.outputs() - 1, layer.inputs() - 1) = 1;
  }
  result.layers.back().bias[0] -= lift;
  return result;
}

}  // namespace asap::region
