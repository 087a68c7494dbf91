#pragma once

#include <vector>

#include "region/pieces/free_knots.h"

namespace asap::region {

/// Least-squares piecewise linear functions whose knots hold equal numbers of points between them,
/// for 1, 2, ... up to `pieces` pieces, later in steps of a tenth. Half the freedom of free knots:
/// where points bend everywhere, they follow less of the noise. The list ends early when an error
/// is rounding, or when `enough` says so.
std::vector<PiecewiseFit> even_knots(const Samples& samples, int pieces,
                                     const EnoughPieces& enough = {});

}  // namespace asap::region
