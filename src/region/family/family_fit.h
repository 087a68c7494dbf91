#pragma once

#include <limits>

#include "base/random.h"
#include "region/family/curvature.h"
#include "region/network/samples.h"
#include "numerics/curve.h"

namespace asap {

/// A folded function and its mean squared error on the samples of the fit.
struct FamilyFit {
  FoldedFunction function;
  double error = std::numeric_limits<double>::infinity();
};

/// Fits the one-window family on [0, 1]: curvature folding of `curve`, its logits disturbed by
/// noise of the given size, then Levenberg-Marquardt on pieces and scales.
FamilyFit fit_family(const Curve& curve, const Samples& samples, int depth, int fold, double noise,
                     RandomStream& random);

}  // namespace asap
