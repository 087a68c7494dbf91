#pragma once

#include <vector>

#include "region/network/piecewise_linear.h"
#include "region/pieces/cells.h"

namespace asap::region {

/// Sums over the cells of one piece, of its hat functions 1 - t and t: [0] and [1].
struct PieceSums {
  double product00 = 0, product01 = 0, product11 = 0;  ///< of two hats
  double residual0 = 0, residual1 = 0;                 ///< of a hat and the residual
  double cost = 0;                                     ///< weighted sum of squared errors
};

/// Of every piece: [pieces].
std::vector<PieceSums> piece_sums(const Cells& cells, const PiecewiseLinear& line);

/// Their costs together.
double total_cost(const std::vector<PieceSums>& sums);

}  // namespace asap::region
