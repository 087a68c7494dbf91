#include "region/pieces/smoothing_lines.h"

#include <algorithm>
#include <cmath>

#include "region/pieces/knot_edits.h"
#include "region/pieces/stabbing.h"

namespace asap::region {
namespace {

/// Symmetric positive definite with two bands beside the diagonal, which are given by row.
struct Banded {
  std::vector<double> diagonal, first, second;  ///< a(i, i), a(i, i + 1), a(i, i + 2)

  explicit Banded(std::size_t size) : diagonal(size), first(size), second(size) {}

  /// Adds weight * (c . (f_i, f_{i+1}, f_{i+2}))^2; c may end in zero at the last row.
  void add(std::size_t i, double weight, double a, double b, double c) {
    diagonal[i] += weight * a * a;
    first[i] += weight * a * b;
    diagonal[i + 1] += weight * b * b;
    if (c == 0) return;
    second[i] += weight * a * c;
    first[i + 1] += weight * b * c;
    diagonal[i + 2] += weight * c * c;
  }

  /// Replaces the right-hand side by the solution: L D L^T without pivots.
  void solve(std::vector<double>& right) {
    const std::size_t n = diagonal.size();
    for (std::size_t i = 0; i < n; ++i) {
      const double d = diagonal[i], one = first[i], two = second[i];
      if (i + 1 < n) {
        first[i] /= d;
        diagonal[i + 1] -= first[i] * one;
        right[i + 1] -= first[i] * right[i];
      }
      if (i + 2 < n) {
        second[i] /= d;
        first[i + 1] -= second[i] * one;
        diagonal[i + 2] -= second[i] * two;
        right[i + 2] -= second[i] * right[i];
      }
    }
    for (std::size_t i = n; i-- > 0;) {
      right[i] /= diagonal[i];
      if (i + 1 < n) right[i] -= first[i] * right[i + 1];
      if (i + 2 < n) right[i] -= second[i] * right[i + 2];
    }
  }
};

}  // namespace

SmoothingLines::SmoothingLines(const Samples& samples)
    : low_(samples.x.front()), high_(samples.x.back()) {
  const Cells cells = cells_of(samples, kMostPieces);
  const auto count = static_cast<double>(cells.size());
  const double total = total_weight(cells);
  for (const Cell& cell : cells) height_ += cell.weight / total * cell.y;
  for (const Cell& cell : cells) {
    x_.push_back(cell.x);
    y_.push_back(cell.y - height_);
    weight_.push_back(cell.weight / total * count);
  }
  distance_ = (x_.back() - x_.front()) / (count - 1);
}

PiecewiseLinear SmoothingLines::line(const Smoothing& smoothing) const {
  const std::size_t n = x_.size();
  Banded matrix(n);
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    matrix.diagonal[i] = weight_[i];
    values[i] = weight_[i] * y_[i];
  }
  const auto distance = [&](std::size_t i) { return (x_[i + 1] - x_[i]) / distance_; };
  if (smoothing.penalty == Penalty::slopes) {
    for (std::size_t i = 0; i + 1 < n; ++i)
      matrix.add(i, smoothing.strength / distance(i), -1, 1, 0);
  } else {
    for (std::size_t i = 0; i + 2 < n; ++i) {
      const double left = 1 / distance(i), right = 1 / distance(i + 1);
      matrix.add(i, 2 * smoothing.strength / (distance(i) + distance(i + 1)), left, -left - right,
                 right);
    }
  }
  matrix.solve(values);
  for (double& value : values) value += height_;
  // Joined points lie inside the ends.
  return reaching({x_, std::move(values)}, low_, high_);
}

std::vector<Smoothing> all_smoothings(Penalty penalty) {
  std::vector<Smoothing> all;
  for (int k = -8; k <= 16; ++k) all.push_back({penalty, std::pow(10.0, 0.5 * k)});
  return all;
}

PiecewiseLinear simplified(const PiecewiseLinear& function, double distance) {
  const Samples knots{function.x, function.y, {}};
  const auto fewer =
      fewest_pieces(knots, distance, static_cast<int>(function.pieces()) - 1, Within::chords);
  return fewer ? fit_values(cells_of(knots, kRefinedCells), *fewer).function : function;
}

}  // namespace asap::region
