#pragma once

#include <vector>

#include "numerics/curve.h"
#include "region/family/folded_function.h"

namespace asap::region {

/// Where a function bends: the cumulative mass of |f''| over [0, 1], on an even grid. Corners of f
/// count with the change of slope they make.
class CurvatureProfile {
 public:
  /// Of f between low and high, from second differences on `cells` cells. A straight line gets an
  /// even profile.
  CurvatureProfile(const numerics::Curve& f, numerics::Interval interval, int cells = 2048);

  /// Mass between 0 and u, u in [0, 1]; 1 in all.
  double cumulative(double u) const;

  /// Lengths of `fold` pieces for which length times mass is the same on every piece: the zigzag
  /// that lays pieces of equal deflection on each other. For fold 2 it is cumulative(a) = 1 - a.
  std::vector<double> equal_pieces(int fold) const;

  /// The profile seen through a zigzag: curvature of piece k, which is stretched to the whole
  /// interval, enters with its length as factor.
  CurvatureProfile folded(const std::vector<double>& pieces) const;

 private:
  CurvatureProfile() = default;
  void normalise();

  std::vector<double> cumulative_;  // [cells + 1]
};

/// Curvature folding: pieces of every level for f on the interval, scales zero.
FoldedWindow fold_by_curvature(const numerics::Curve& f, numerics::Interval interval, int depth,
                               int fold, int cells = 2048);

/// Ends of `count` windows with equal integrals of |f''|^0.4: windows on which a fixed number of
/// straight pieces leaves the same squared error (de Boor's rule for free knots). Result: [count +
/// 1].
std::vector<double> place_windows(const numerics::Curve& f, numerics::Interval interval, int count);

/// A folded function with windows placed and folded by the curvature of f, whose nodes lie on f and
/// whose scales are zero: fit_linear_part() is the next step.
FoldedFunction curvature_folding(const numerics::Curve& f, numerics::Interval interval, int depth,
                                 int fold, int windows);

}  // namespace asap::region
