#pragma once

#include "region/fit/methods.h"

namespace asap::region {

/// Windowed folding of any continuous target: windows placed by |f''|^0.4, pieces by curvature
/// folding in each window, the linear part by least squares, no polishing. Noisy points are fitted
/// directly; otherwise the guide curve is fitted on a grid of several samples per piece.
Fit windowed_fit(const Target& target, int depth, int fold, int windows);

/// The paper's approach to a target that is not convex: f = g - h with g and h convex. Each is
/// fitted by the method of `options`; one network computes the difference. g'' is the positive part
/// of f''.
Fit difference_fit(const Target& target, const FitOptions& options);

/// A fit that keeps the shape of the target by construction: convex or concave on the interval, and
/// monotone if the target is. Every convex member of the windowed family is a sum, with
/// non-negative weights, of convex building blocks: the tents of one level with as much of the
/// levels above as makes slopes meet, and relu(x - node). Non-negative least squares finds the best
/// sum. UsageError when the target bends both ways.
Fit shape_fit(const Target& target, int depth, int windows);

}  // namespace asap::region
