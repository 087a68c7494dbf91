#pragma once

#include "region/fit/methods.h"

namespace asap::region {

/// Windowed folding of any continuous target: `windows` windows placed by |f''|^0.4, pieces by
/// curvature folding in each, the linear part by least squares, no polishing. Where the points are
/// noisy they are fitted directly, else the guide curve on a grid of several samples a piece.
Fit windowed_fit(const Target& target, int depth, int fold, int windows);

/// The paper's way to a target that is not convex: f = g - h with g and h convex, each fitted by
/// the method of `options`, and one network that computes the difference. g'' is the positive part
/// of f''.
Fit difference_fit(const Target& target, const FitOptions& options);

/// A fit that keeps the shape of the target: the function is convex (or concave) on the interval,
/// and monotone where the points are, by construction. Every member of the windowed family that is
/// convex is a sum with non-negative weights of convex building blocks: a window's tents with those
/// later in the same branch that Theorem 3.1 adds until slopes meet, plus relu(x - node).
/// Non-negative least squares finds the best. UsageError when the target bends both ways.
Fit shape_fit(const Target& target, int depth, int windows);

}  // namespace asap::region
