#pragma once

#include "region/pieces/constraints.h"
#include "region/pieces/free_knots.h"

namespace asap::region {

/// Least-squares piecewise linear functions with free knots that meet constraints, for the numbers
/// of pieces up to `pieces` (at most kMostSearchedPieces) with which they can be met: each the best
/// of several starts, refined (constrained_refiner.h). The starts are the knots without constraints
/// (free_knots.h), the function of one piece less with one piece cut in two, and knots where
/// constraints begin. The function reaches from the first cell or forced point to the last one.
/// The list ends early when an error is rounding, or when `enough` says so.
///
/// UsageError, naming the fields, when no function meets the constraints (then not even the one
/// that is straight between forced points and the ends of shapes does), or none of so few pieces.
std::vector<PiecewiseFit> constrained_knots(const Cells& cells,
                                            const PiecesConstraints& constraints, int pieces,
                                            const EnoughPieces& enough = {});

/// The function, which meets the constraints, refined on all points.
PiecewiseFit constrained_on_points(const PiecewiseLinear& function, const Samples& samples,
                                   const PiecesConstraints& constraints);

}  // namespace asap::region
