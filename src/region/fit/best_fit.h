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
/// 4. Return the best network whose dense error is within the guard; the best member of the family
///    competes.
///
/// The family is fitted to all points when they are noisy. Raw weights have many times its freedom:
/// they are tried only when the family's misfit is larger than the noise explains.
Fit best_fit(const Target& target, const FitOptions& options);

}  // namespace asap::region
