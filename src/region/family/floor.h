#pragma once

#include <vector>

#include "numerics/curve.h"
#include "region/network/samples.h"

namespace asap::region {

/// The least mean squared error of any continuous piecewise linear function with a number of
/// pieces, and so of any network with that many linear regions.
struct FreeKnotFloor {
  /// (integral |f''|^0.4)^5 / (720 pieces^4 length), exact as the number of pieces grows. Not
  /// known (NaN) for points.
  double asymptotic = 0;
  /// Error of the best knots found (pieces/free_knots.h). It never increases with the number of
  /// pieces, up to kMostSearchedPieces. Above kMostPieces pieces the asymptotic value stands here.
  double refined = 0;
  std::vector<double> knots;  ///< with that error, ends included: [pieces + 1], fewer, or none
};

/// The floor of the integral over the interval divided by its length. UsageError for fewer than one
/// piece.
FreeKnotFloor free_knot_floor(const numerics::Curve& f, numerics::Interval interval, int pieces);

/// The floor of the weighted mean over points.
FreeKnotFloor free_knot_floor(const Samples& samples, int pieces);

}  // namespace asap::region
