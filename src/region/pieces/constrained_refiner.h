#pragma once

#include <optional>

#include "region/pieces/constraints.h"
#include "region/pieces/knot_refiner.h"

namespace asap::region {

/// Weighted least squares for the values at fixed knots under constraints: a quadratic program.
/// Nothing when no values meet them. Values that neither cells nor constraints determine stay close
/// to their start. x and y should have range about one.
std::optional<PiecewiseFit> fit_constrained_values(const Cells& cells,
                                                   const PiecesConstraints& constraints,
                                                   const PiecewiseLinear& start);

/// Weighted least squares for knots and values together, from a function that meets the
/// constraints. Every step solves the damped Gauss-Newton problem under the constraints to first
/// order (sequential quadratic programming), and then the values exactly at the new knots. The
/// error never increases.
PiecewiseFit refine_constrained(const Cells& cells, const PiecesConstraints& constraints,
                                PiecewiseFit start, int iterations);

}  // namespace asap::region
