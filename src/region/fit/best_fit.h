#pragma once

#include "region/fit/methods.h"

namespace asap::region {

/// The method `best`. In units of range one:
///
/// 1. Sample the guide curve evenly (1000 points for depth five).
/// 2. Make starts: pieces from curvature folding with noise on their logits, three or two pieces
///    per level; the linear part by least squares; then Levenberg-Marquardt on the family.
/// 3. Polish the raw weights of each start (see Polisher). Hop from the three best, then on from
///    the best of these.
/// 4. Take the best network whose dense error is within the guard; the best member of the family
///    competes.
///
/// Functions on which raw weights gain little over straight pieces of as many parameters are tried
/// again with ten times the hops.
///
/// Points that are uneven or have weights are sampled through the guide in proportion to their
/// weights: where half of the weight is, half of the samples are. Beyond depth five the fit of
/// depth five, with layers that pass it on, is one more start, so more depth is never worse.
///
/// Straight pieces with free knots on at most as many parameters, in one hidden layer
/// (pieces_fit.h), and at most a third of the points, compete with the result. The error at the
/// points decides, or that of the function where it is known. Pieces that are exact end the search
/// at once.
///
/// The family is fitted to all points when they are noisy. Raw weights have many times its freedom:
/// they are tried only when the family's misfit is larger than the noise explains. Mallows' C_p
/// decides between the family and the straight pieces, whose number is chosen by BIC.
Fit best_fit(const Target& target, const FitOptions& options);

}  // namespace asap::region
