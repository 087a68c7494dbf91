#pragma once

#include <vector>

#include "region/pieces/cells.h"
#include "region/pieces/free_knots.h"

namespace asap::region {

/// What a smoothing line pays for.
enum class Penalty {
  slopes,  ///< the integral of f'^2: for values that wander (linear smoothing splines)
  bends    ///< the integral of f''^2, its bends at knots spread over the pieces: for slopes that do
};

/// One smoothing line: how much it pays.
struct Smoothing {
  Penalty penalty = Penalty::slopes;
  double strength = 1;  ///< of the penalty, where weights and distances of knots have mean one
};

/// Piecewise linear functions with a knot at every point that minimise
///   sum_i w_i (f(x_i) - y_i)^2 + strength * penalty(f),
/// the discrete smoothing of Whittaker (1923) for uneven points. Where points have no corners to
/// find, they predict better than few straight pieces. More than kMostPieces points are joined
/// first.
class SmoothingLines {
 public:
  /// samples: at least two.
  explicit SmoothingLines(const Samples& samples);

  /// Solves a banded linear system, in time linear in the points.
  PiecewiseLinear line(const Smoothing& smoothing) const;

 private:
  double low_ = 0, high_ = 0;           // ends of the samples
  double height_ = 0;                   // weighted mean of y
  std::vector<double> x_, y_, weight_;  // of the knots; y less the height
  double distance_ = 1;                 // mean between neighbours
};

/// The smoothings among which cross-validation chooses, with strengths from 1e-4, which passes
/// through the points, to 1e8.
std::vector<Smoothing> all_smoothings(Penalty penalty);

/// A function with fewer pieces: the fewest that stay within `distance` of it everywhere, their
/// values fitted to its knots once more.
PiecewiseLinear simplified(const PiecewiseLinear& function, double distance);

}  // namespace asap::region
