#pragma once

#include <algorithm>

#include "region/pieces/knot_refiner.h"

namespace asap::region {

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
  PiecewiseFit unscaled(PiecewiseFit fit, const Cells& original) const {
    for (double& knot : fit.function.x) knot = x + length * knot;
    for (double& value : fit.function.y) value = y + range * value;
    fit.function.x.front() = original.front().left;
    fit.function.x.back() = original.back().right;
    fit.mse *= range * range;
    return fit;
  }
};

}  // namespace asap::region
