#pragma once

#include <vector>

#include "numerics/curve.h"
#include "region/family/folded_function.h"

namespace asap::region {

/// Where a function bends: the cumulative mass of |f''| over [0, 1], on an even grid. A corner of f
/// counts by its change of slope.
class CurvatureProfile {
 public:
  /// From second differences of f on `cells` cells. A straight line has an even profile.
  CurvatureProfile(const numerics::Curve& f, numerics::Interval interval, int cells = 2048);

  /// Mass between 0 and u, for u in [0, 1]; the total is 1.
  double cumulative(double u) const;

  /// Lengths of `fold` pieces of equal length times mass: the zigzag that lays pieces of equal
  /// deflection on each other. For fold 2 the peak a solves cumulative(a) = 1 - a.
  std::vector<double> equal_pieces(int fold) const;

  /// The profile seen through a zigzag: each piece is stretched to the whole interval, and its
  /// curvature enters times its length.
  CurvatureProfile folded(const std::vector<double>& pieces) const;

 private:
  CurvatureProfile() = default;
  void normalise();

  std::vector<double> cumulative_;  // [cells + 1]
};

/// Curvature folding: the pieces of every level for f on the interval, with zero scales.
FoldedWindow fold_by_curvature(const numerics::Curve& f, numerics::Interval interval, int depth,
                               int fold, int cells = 2048);

/// Ends of `count` windows with equal integrals of |f''|^0.4: on such windows a fixed number of
/// straight pieces leaves the same squared error (de Boor's rule for free knots). Result: [count +
/// 1].
std::vector<double> place_windows(const numerics::Curve& f, numerics::Interval interval, int count);

/// A folded function whose windows are placed and folded by the curvature of f. Its nodes lie on f
/// and its scales are zero; fit_linear_part() is the next step.
FoldedFunction curvature_folding(const numerics::Curve& f, numerics::Interval interval, int depth,
                                 int fold, int windows);

}  // namespace asap::region
