#pragma once

#include <functional>
#include <vector>

#include "region/network/piecewise_linear.h"
#include "region/network/samples.h"

namespace asap::region {

/// A piecewise linear function that jumps: continuous parts from left to right, each from its first
/// point to its last one.
struct JumpingFit {
  std::vector<PiecewiseLinear> parts;
  double mse = 0;

  int jumps() const { return static_cast<int>(parts.size()) - 1; }
  /// Of all parts, without the steep pieces between them.
  int pieces() const;
};

/// A jump between two neighbouring points.
struct Jump {
  double left = 0, right = 0;  ///< x of the points
  double height = 0;           ///< of the parts' lines at their middle, right less left
};

std::vector<Jump> jumps_of(const std::vector<PiecewiseLinear>& parts);

/// The parts as one continuous function, with a steep piece for every jump.
PiecewiseLinear joined(const std::vector<PiecewiseLinear>& parts);

/// Whether a search over the numbers of pieces may end, after the fits so far.
using EnoughJumping = std::function<bool(const std::vector<JumpingFit>&)>;

/// Least-squares piecewise linear functions of 2, 3, ... `pieces` pieces with 1 to `jumps` jumps
/// each, fewer pieces first. Dynamic programming (knot_candidates.h) finds knots and jumps; then
/// the knots and values of every part are refined (knot_refiner.h) and each jump moves to where the
/// lines beside it fit best, until no jump moves. A piece that ends in a jump has at least three points. The
/// list ends early when an error is rounding, or when `enough` says so after a number of pieces.
std::vector<JumpingFit> jumping_knots(const Samples& samples, int pieces, int jumps,
                                      const EnoughJumping& enough = {});

}  // namespace asap::region
