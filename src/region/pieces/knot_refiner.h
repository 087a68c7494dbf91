#pragma once

#include "region/pieces/cells.h"
#include "region/pieces/piecewise_network.h"

namespace asap::region {

/// A piecewise linear function with its mean squared error on the cells of its fit.
struct PiecewiseFit {
  PiecewiseLinear function;
  double mse = 0;
};

/// Weighted least squares for the values at fixed knots, in time linear in cells and knots. Values
/// that the cells do not determine stay close to their start.
PiecewiseFit fit_values(const Cells& cells, PiecewiseLinear start);

/// Weighted least squares for knots and values together, from `start`, by Levenberg-Marquardt. A
/// knot enters through the slopes beside it, so the normal equations are block tridiagonal and an
/// iteration takes time linear in cells and knots. The end knots stay. The error never increases.
/// x and y should have range about one.
PiecewiseFit refine_knots(const Cells& cells, const PiecewiseLinear& start, int iterations);

}  // namespace asap::region
