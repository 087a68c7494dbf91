#include "region/network/piecewise_linear.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace asap::region {
namespace {

/// Bounds how far a network leaves the straight line between two of its points. Every neuron is
/// compared with the chord between its values at both ends; layer by layer, the distance from the
/// chord is bounded, rounding included.
class ChordBound {
 public:
  ChordBound(const ReluNetwork& network, const PiecewiseLinear& pieces, Rounding rounding)
      : pieces_(pieces), rounding_(rounding) {
    for (const DenseLayer& layer : network.layers) layers_.emplace_back(layer);
  }

  /// On [low, high], a part of one piece.
  double on(std::int64_t piece, double low, double high, int splits = 64) const {
    std::vector<Neuron> inputs{{low, high, 0}};
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      std::vector<Neuron> sums = affine(layers_[l], inputs);
      if (l + 1 == layers_.size()) return distance(sums.front(), piece, low, high);
      // A neuron that switches inside is bounded on both sides of the place.
      const double place = splits > 0 ? switch_inside(sums, low, high) : low;
      if (place > low && place < high)
        return std::max(on(piece, low, place, splits - 1), on(piece, place, high, splits - 1));
      for (Neuron& neuron : sums) activate(neuron);
      inputs = std::move(sums);
    }
    return std::numeric_limits<double>::infinity();
  }

 private:
  /// Values at both ends, and the largest distance from their chord.
  struct Neuron {
    double low, high, distance;
    double size() const { return std::max(std::abs(low), std::abs(high)) + distance; }
  };

  std::vector<Neuron> affine(const SparseRows& rows, const std::vector<Neuron>& inputs) const {
    std::vector<Neuron> sums;
    for (std::int64_t k = 0; k < rows.rows(); ++k) {
      Neuron sum{rows.bias(k), rows.bias(k), 0};
      double size = std::abs(rows.bias(k));
      for (const auto& [column, weight] : rows.row(k)) {
        const Neuron& input = inputs[static_cast<std::size_t>(column)];
        sum.low += weight * input.low;
        sum.high += weight * input.high;
        sum.distance += std::abs(weight) * input.distance;
        size += std::abs(weight) * input.size();
      }
      const auto operations =
          static_cast<double>(rows.row(k).size()) + 2 + (rounding_.weights ? 1 : 0);
      // Higham, Accuracy and Stability of Numerical Algorithms (2002), lemma 3.1, once for the
      // network and once for the chord, which is computed here in double.
      const double unit = operations * (rounding_.unit + Rounding().unit);
      sum.distance += unit / (1 - unit) * size + operations * rounding_.underflow;
      sums.push_back(sum);
    }
    return sums;
  }

  /// How far ReLU moves a neuron that changes its sign away from the chord.
  static double bend(const Neuron& neuron) {
    const bool crosses = (neuron.low < 0) != (neuron.high < 0);
    return crosses ? std::min(std::abs(neuron.low), std::abs(neuron.high)) : 0;
  }

  static void activate(Neuron& neuron) {
    neuron.distance += bend(neuron);
    neuron.low = std::max(neuron.low, 0.0);
    neuron.high = std::max(neuron.high, 0.0);
  }

  /// Where the neuron that bends most switches; `low` if none bends by more than rounding.
  static double switch_inside(const std::vector<Neuron>& sums, double low, double high) {
    double place = low, most = 0;
    for (const Neuron& neuron : sums) {
      if (bend(neuron) <= std::max(most, 4 * neuron.distance)) continue;
      most = bend(neuron);
      place = low + (high - low) * (neuron.low / (neuron.low - neuron.high));
    }
    return place;
  }

  double distance(const Neuron& output, std::int64_t piece, double low, double high) const {
    return output.distance + std::max(std::abs(output.low - line(piece, low)),
                                      std::abs(output.high - line(piece, high)));
  }

  double line(std::int64_t piece, double x) const {
    const auto at = static_cast<std::size_t>(piece);
    const double share = (x - pieces_.x[at]) / (pieces_.x[at + 1] - pieces_.x[at]);
    return pieces_.y[at] * (1 - share) + pieces_.y[at + 1] * share;
  }

  const PiecewiseLinear& pieces_;
  Rounding rounding_;
  std::vector<SparseRows> layers_;
};

}  // namespace

double PiecewiseLinear::slope(std::int64_t piece) const {
  const auto at = static_cast<std::size_t>(piece);
  return (y[at + 1] - y[at]) / (x[at + 1] - x[at]);
}

double PiecewiseLinear::intercept(std::int64_t piece) const {
  const auto at = static_cast<std::size_t>(piece);
  return y[at] - slope(piece) * x[at];
}

double PiecewiseLinear::operator()(double at) const {
  const auto next = std::upper_bound(x.begin() + 1, x.end() - 1, at);
  const auto right = static_cast<std::size_t>(next - x.begin());
  const double share = (at - x[right - 1]) / (x[right] - x[right - 1]);
  return y[right - 1] + share * (y[right] - y[right - 1]);
}

PiecewiseLinear pieces_of(const ReluNetwork& network, numerics::Interval interval) {
  PiecewiseLinear pieces;
  pieces.x = count_regions(network, interval).breakpoints;
  pieces.y.resize(pieces.x.size());
  network.evaluate(pieces.x, pieces.y);
  return pieces;
}

double largest_deviation(const ReluNetwork& network, const PiecewiseLinear& pieces,
                         Rounding rounding) {
  base::check(network.inputs() == 1, "largest_deviation: the network has several inputs");
  const ChordBound bound(network, pieces, rounding);
  double largest = 0;
  for (std::int64_t k = 0; k < pieces.pieces(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    if (pieces.x[at] == pieces.x[at + 1] && pieces.y[at] != pieces.y[at + 1])
      return std::numeric_limits<double>::infinity();
    largest = std::max(largest, bound.on(k, pieces.x[at], pieces.x[at + 1]));
  }
  constexpr double kOwnRounding = 1.0001;  // of the bound itself
  return kOwnRounding * largest;
}

}  // namespace asap::region
