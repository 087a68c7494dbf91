#pragma once

#include <functional>
#include <map>
#include <vector>

#include "region/network/samples.h"
#include "region/pieces/free_knots.h"

namespace asap::region {

/// Fits of 1, 2, ... pieces at most to samples.
using PiecesSearch =
    std::function<std::vector<PiecewiseFit>(const Samples&, int pieces, const EnoughPieces&)>;

/// The mean squared error at points that a fit has not seen, by number of pieces: five folds, each
/// of every fifth point, without the first and the last point. Numbers that some fold lacks are
/// left out. A fold stops some time after its error has stopped to fall.
std::map<int, double> cross_validated(const Samples& samples, int most_pieces,
                                      const PiecesSearch& search);

}  // namespace asap::region
