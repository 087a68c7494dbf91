#pragma once

#include <vector>

#include "region/pieces/cells.h"

namespace asap::region {

/// At most about `most` places for knots, ends included, ascending: all points and the middles
/// between them where they are few; otherwise a selection with as much of the cells, of the length
/// and of the estimated bending (|f''|^0.4) between any two neighbours.
std::vector<double> knot_candidates(const Cells& cells, int most);

/// Polyline knots with equal shares of the estimated bending: near the best ones where pieces are
/// many (de Boor's rule). Result: [pieces + 1].
std::vector<double> balanced_knots(const Cells& cells, int pieces);

/// The best continuous polylines with knots among the candidates, by dynamic programming over the
/// last knot and the value there. For every pair of pieces and last knot only the `kept` best
/// beginnings go on, each with its cost as a quadratic function of the value. Result: for 1,
/// 2, ..., most_pieces pieces the inner knots of the best beginnings, best first.
std::vector<std::vector<std::vector<double>>> programmed_knots(const Cells& cells,
                                                               const std::vector<double>& candidates,
                                                               int most_pieces);

}  // namespace asap::region
