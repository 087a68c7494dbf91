#pragma once

#include "region/fit/methods.h"

namespace asap::region {

/// The method `best`. In units of range one:
///
/// 1. The guide curve is sampled evenly (1000 points for depth five).
/// 2. Starts: pieces by curvature folding with noise on their logits, for three and two pieces a
/// level and
///    either sign of slope, the linear part by least squares, then Levenberg-Marquardt on the
///    family.
/// 3. Each start is polished on its raw weights (see Polisher); the three best are hopped, the best
/// of these
///    is hopped on.
/// 4. The best network whose dense error is within the guard is the result; the family itself
/// competes.
///
/// Where the points are noisy the family is fitted to them all, and raw weights, which have many
/// times its freedom, are tried only when the family's misfit is larger than the noise explains.
Fit best_fit(const Target& target, const FitOptions& options);

}  // namespace asap::region
