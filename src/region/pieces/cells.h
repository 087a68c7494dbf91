#pragma once

#include <utility>
#include <vector>

#include "numerics/curve.h"
#include "region/network/samples.h"

namespace asap::region {

/// A stretch of x with the moments of what is to be fitted there: the weighted sum of squared
/// errors of any straight line over the cell follows from them. A single point is a cell without
/// extent.
struct Cell {
  double weight = 0;           ///< total weight
  double x = 0, y = 0;         ///< weighted means
  double spread = 0;           ///< weighted mean of (x - mean)^2
  double slope = 0;            ///< of the least-squares line through the cell
  double rest = 0;             ///< weighted mean square of what this line leaves
  double left = 0, right = 0;  ///< ends of the stretch

  /// Both cells as one.
  Cell joined(const Cell& other) const;
  /// The parts left and right of `at`, as if y lay along a line with an even remainder.
  std::pair<Cell, Cell> cut(double at) const;
  /// Weighted sum of squares of line(x) - y, for the line of this value at the mean x and slope.
  double cost(double value, double line_slope) const {
    const double error = value - y, turn = line_slope - slope;
    return weight * (error * error + turn * turn * spread + rest);
  }
};

/// Cells from left to right.
using Cells = std::vector<Cell>;

/// Every point a cell, or, where there are more than `most` points, neighbours joined: a cell holds
/// no more than its share of the points, of the length and of the weight, and at most 3 `most`
/// cells remain.
Cells cells_of(const Samples& samples, int most);

/// The integral of (line - f)^2 over the interval, divided by its length: at least `least` cells of
/// a five-point Gauss rule, halved where f bends most.
Cells cells_of(const numerics::Curve& f, numerics::Interval interval, int least);

double total_weight(const Cells& cells);

}  // namespace asap::region
