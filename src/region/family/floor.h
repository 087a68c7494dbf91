#pragma once

#include <vector>

#include "numerics/curve.h"
#include "region/family/curvature.h"

namespace asap::region {

/// The least mean squared error of any continuous piecewise linear function with a number of
/// pieces, and so of any network with that many linear regions.
struct FreeKnotFloor {
  /// (integral |f''|^0.4)^5 / (720 pieces^4 length), exact as the number of pieces grows.
  double asymptotic = 0;
  /// Error of the best knots found, on a dense grid: an upper bound of the floor, within a few per
  /// cent for smooth f. Above kMostRefined pieces the knots are the asymptotic ones, which are then
  /// as good.
  double refined = 0;
  std::vector<double> knots;  ///< with that error, ends included: [pieces + 1] or none
  bool is_refined = false;

  static constexpr int kMostRefined = 64;
  static constexpr int kMostSampled = 4096;
};

/// Starts from knots with equal integrals of |f''|^0.4 and refines knots and values together by
/// Levenberg-Marquardt. UsageError for fewer than one piece.
FreeKnotFloor free_knot_floor(const numerics::Curve& f, numerics::Interval interval, int pieces);

}  // namespace asap::region
