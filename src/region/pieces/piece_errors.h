#pragma once

#include <vector>

#include "region/network/piecewise_linear.h"
#include "region/network/samples.h"

namespace asap::region {

/// Standard errors of a least-squares fit of straight pieces; NaN where the points do not
/// determine a number.
struct PieceErrors {
  double deviation = 0;        ///< of the noise: root of weighted residual squares by freedom
  std::vector<double> slopes;  ///< of all pieces of all parts, steep ones between parts left out
  std::vector<double> knots;   ///< of the places where pieces meet inside a part
};

/// The covariance of Gauss and Newton, deviation² (JᵀWJ)⁻¹, for the value at the first knot, the
/// slopes and the inner knots of every continuous part (Muggeo 2003 for knots; exact for one
/// piece). It takes noise as independent, with variances that are inverse to the weights, and
/// places of jumps as known. Nothing is determined without more points than parameters (2 a piece,
/// 1 a jump).
PieceErrors piece_errors(const std::vector<PiecewiseLinear>& parts, const Samples& samples);

}  // namespace asap::region
