#pragma once

#include <functional>
#include <vector>

#include "region/pieces/knot_refiner.h"

namespace asap::region {

/// The largest number of pieces that free_knots() searches one after the other.
inline constexpr int kMostSearchedPieces = 64;

/// Least-squares polylines with free knots, for 1, 2, ... `pieces` pieces, in any units. Each has
/// the best of these starts, refined (knot_refiner.h): the polyline of one piece less with one
/// piece cut in two, dynamic programming on candidate knots (knot_candidates.h), and moves of single
/// knots from where they matter least to where the error is largest. So the error never increases
/// from one number of pieces to the next. The list ends early when an error is rounding. The search
/// is heuristic: tests compare it with exhaustive ones.
std::vector<PolylineFit> free_knots(const Cells& cells, int pieces);

/// The last of them alone. Above kMostSearchedPieces pieces the start is the asymptotically best
/// distribution of knots, and the error may be larger than the least.
PolylineFit best_polyline(const Cells& cells, int pieces);

/// The same on points: the search runs on joined points where there are very many, the last
/// refinement on all of them.
PolylineFit best_polyline(const Samples& samples, int pieces);

}  // namespace asap::region
