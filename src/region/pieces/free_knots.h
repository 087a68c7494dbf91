#pragma once

#include <functional>
#include <vector>

#include "region/pieces/knot_refiner.h"

namespace asap::region {

/// The largest number of pieces that free_knots() searches one after the other.
inline constexpr int kMostSearchedPieces = 64;

/// Above it, free_knots() adds pieces in steps of this size.
inline constexpr int kPieceStep = 16;

/// The largest number of pieces of a fit with free knots.
inline constexpr int kMostPieces = 4096;

/// Cells on which many points are searched, and cells on which the result is refined.
inline constexpr int kSearchedCells = 1000;
inline constexpr int kRefinedCells = 100'000;

/// Candidates for knots in a search.
inline constexpr int kMostCandidates = 200;

/// Whether a search over the numbers of pieces may end, after the fits so far.
using EnoughPieces = std::function<bool(const std::vector<PiecewiseFit>&)>;

/// Least-squares piecewise linear functions with free knots, for 1, 2, ... `pieces` pieces, in any
/// units. Each has the best of these starts, refined (knot_refiner.h): the function of one piece
/// less with one piece cut in two, dynamic programming on candidate knots (knot_candidates.h), and
/// moves of single knots from where they matter least to where the error is largest. So the error
/// never increases from one number of pieces to the next. Above kMostSearchedPieces pieces,
/// kPieceStep pieces at once are cut where the error is largest. The list ends early when an error
/// is rounding, or when `enough` says so. The search is heuristic; tests compare it with exhaustive
/// ones.
std::vector<PiecewiseFit> free_knots(const Cells& cells, int pieces,
                                     const EnoughPieces& enough = {});

/// The last of them alone. Above kMostSearchedPieces pieces the start is the asymptotically best
/// distribution of knots, and the error may be larger than the least.
PiecewiseFit best_piecewise(const Cells& cells, int pieces);

/// The function, refined on all points.
PiecewiseFit refined_on_points(const PiecewiseLinear& function, const Samples& samples);

/// The same on points: the search runs on joined points where there are very many, the last
/// refinement on all of them. Where `pieces` can pass through all points, they do.
PiecewiseFit best_piecewise(const Samples& samples, int pieces);

}  // namespace asap::region
