#pragma once

#include <limits>

#include "base/random.h"
#include "numerics/curve.h"
#include "region/family/curvature.h"
#include "region/network/samples.h"

namespace asap::region {

/// A folded function and its mean squared error on the samples of the fit.
struct FamilyFit {
  FoldedFunction function;
  double error = std::numeric_limits<double>::infinity();
};

/// Fits the family of one window on [0, 1]: curvature folding of `curve`, noise of the given size
/// on the logits, then Levenberg-Marquardt on pieces and scales.
FamilyFit fit_family(const numerics::Curve& curve, const Samples& samples, int depth, int fold,
                     double noise, base::RandomStream& random);

}  // namespace asap::region
