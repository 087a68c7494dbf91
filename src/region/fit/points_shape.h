#pragma once

#include "region/network/piecewise_linear.h"
#include "region/network/samples.h"

namespace asap::region {

/// Convexity and monotonicity.
struct Shape {
  bool convex = false, concave = false;
  bool increasing = false, decreasing = false;

  bool monotone() const { return increasing || decreasing; }
};

/// The shape of points, up to the rounding of y in their file: half a unit of the last decimal, or
/// 1e-9 of the range of y. Points are convex when no point is more than that above the convex hull
/// below them.
Shape shape_of(const Samples& points);

/// The shape of straight pieces, exactly.
Shape shape_of(const PiecewiseLinear& function);

/// Whether a function of shape `have` is also of every shape that `wanted` names.
bool includes(const Shape& have, const Shape& wanted);

}  // namespace asap::region
