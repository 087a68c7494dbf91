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

/// A fixed number of fits to samples.
using LineFits = std::function<std::vector<PiecewiseLinear>(const Samples&)>;

/// The same error of each of the fits; empty for points that are too few to leave some out.
std::vector<double> cross_validated(const Samples& samples, const LineFits& fits);

/// By how many standard errors the weighted squared error of the second of two fits is smaller at
/// points left out; 0 where it is not smaller.
double sureness_of_second(const Samples& samples, const LineFits& two);

}  // namespace asap::region
