#pragma once

#include <algorithm>

#include "region/pieces/knot_refiner.h"

namespace asap::region {

/// A mean squared error, in units of range one, that is rounding.
inline constexpr double kExactError = 1e-28;

/// The affine change of x and y to range one.
struct CellUnits {
  double x = 0, length = 1, y = 0, range = 1;

  explicit CellUnits(const Cells& cells) : x(cells.front().left) {
    length = cells.back().right - x;
    double low = cells.front().y, high = low;
    for (const Cell& cell : cells) {
      low = std::min(low, cell.y);
      high = std::max(high, cell.y);
    }
    y = 0.5 * low + 0.5 * high;
    if (high > low) range = high - low;
  }

  Cells scaled(Cells cells) const {
    const double total = total_weight(cells);
    for (Cell& cell : cells) {
      cell.weight /= total;
      for (double* at : {&cell.x, &cell.left, &cell.right}) *at = (*at - x) / length;
      cell.y = (cell.y - y) / range;
      cell.spread = cell.spread / length / length;
      cell.slope = cell.slope / range * length;
      cell.rest = cell.rest / range / range;
    }
    return cells;
  }
  PiecewiseLinear scaled(PiecewiseLinear line) const {
    for (double& knot : line.x) knot = (knot - x) / length;
    for (double& value : line.y) value = (value - y) / range;
    return line;
  }
  PiecewiseLinear unscaled(PiecewiseLinear line) const {
    for (double& knot : line.x) knot = x + length * knot;
    for (double& value : line.y) value = y + range * value;
    return line;
  }
  double unscaled_error(double mse) const { return mse * (range * range); }
  /// `low` and `high`: the ends of the function, without rounding.
  PiecewiseFit unscaled(PiecewiseFit fit, double low, double high) const {
    fit = {unscaled(std::move(fit.function)), unscaled_error(fit.mse)};
    fit.function.x.front() = low;
    fit.function.x.back() = high;
    return fit;
  }
  PiecewiseFit unscaled(PiecewiseFit fit, const Cells& original) const {
    return unscaled(std::move(fit), original.front().left, original.back().right);
  }
};

}  // namespace asap::region
