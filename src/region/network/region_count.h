#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "numerics/curve.h"
#include "region/network/relu_network.h"

namespace asap::region {

/// The pieces of a network on an interval.
struct RegionCount {
  /// Intervals on which no neuron switches.
  std::int64_t activation_regions = 0;
  /// Intervals on which the output is one straight line: neighbours of equal slope are one.
  std::int64_t linear_regions = 0;
  /// Ends of the linear regions: [linear_regions + 1].
  std::vector<double> breakpoints;
  /// Slope of the output on each linear region, from the weights of the active neurons.
  std::vector<double> slopes;
  /// Bound of the rounding error of each slope.
  std::vector<double> slope_errors;
};

/// Counts the regions of a network of one input on an interval, exactly up to float64 rounding. The
/// hidden vector is kept at every breakpoint found so far. A layer's pre-activations are linear
/// between neighbouring breakpoints, so each strict change of sign is one new breakpoint. Every
/// value carries a bound of its rounding error, and a pre-activation within its bound counts as
/// zero: a corner on an existing breakpoint adds none. The interval is processed in stretches, so
/// memory stays small for wide networks.
RegionCount count_regions(const ReluNetwork& network, numerics::Interval interval);

/// The same along the segment from `from` (t = 0) to `to` (t = 1): breakpoints are values of t,
/// slopes are derivatives by t. from, to: [inputs], different.
RegionCount count_regions(const ReluNetwork& network, std::span<const double> from,
                          std::span<const double> to);

/// Convexity and monotonicity of a network on the interval, from its slopes. Slopes that differ by
/// no more than their rounding errors count as equal.
struct FunctionShape {
  bool convex = false, concave = false;
  bool increasing = false, decreasing = false;
};
FunctionShape shape_of(const RegionCount& count);

}  // namespace asap::region
