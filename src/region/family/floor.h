#pragma once

#include <vector>

#include "numerics/curve.h"
#include "region/family/curvature.h"

namespace asap::region {

/// Least mean squared error that a continuous piecewise linear function of `pieces` pieces can
/// have: what no network with that many linear regions can beat.
struct FreeKnotFloor {
  /// (integral |f''|^0.4)^5 / (720 pieces^4 length), exact as the number of pieces grows.
  double asymptotic = 0;
  /// Error of the best knots found, on a dense grid: an upper bound of the floor, within a few per
  /// cent for smooth f. Above kMostRefined pieces, where both agree, the error of the asymptotic
  /// knots.
  double refined = 0;
  std::vector<double> knots;  ///< of that error, ends included, [pieces + 1] or none
  bool is_refined = false;

  static constexpr int kMostRefined = 64;
  static constexpr int kMostSampled = 4096;
};

/// Starts from knots with equal integrals of |f''|^0.4 and refines knots and values together by
/// Levenberg-Marquardt. UsageError for fewer than one piece.
FreeKnotFloor free_knot_floor(const numerics::Curve& f, numerics::Interval interval, int pieces);

}  // namespace asap::region
