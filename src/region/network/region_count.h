#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "numerics/curve.h"
#include "region/network/relu_network.h"

namespace asap::region {

/// What a network is on an interval, piece by piece.
struct RegionCount {
  /// Intervals on which no neuron switches.
  std::int64_t activation_regions = 0;
  /// Intervals on which the output is one straight line: neighbours of equal slope count once.
  std::int64_t linear_regions = 0;
  /// Ends of the linear regions, [linear_regions + 1].
  std::vector<double> breakpoints;
  /// Slope of the output on each linear region, from the weights of its active neurons.
  std::vector<double> slopes;
  /// Rounding error bound of each slope.
  std::vector<double> slope_errors;
};

/// Counts the regions of a ReLU network of one input and one output on an interval, exactly but for
/// float64 rounding. The hidden vector is carried at every breakpoint found so far; a layer's
/// pre-activations are linear between neighbours, so each strict change of sign is one new
/// breakpoint. Every value carries a bound of its rounding error, and a pre-activation within its
/// bound counts as zero: a corner that falls on a breakpoint is no new one. The interval is worked
/// off in stretches, so that memory stays small for wide networks.
RegionCount count_regions(const ReluNetwork& network, numerics::Interval interval);

/// The same along the straight way from `from` (t = 0) to `to` (t = 1), [inputs] each and
/// different: breakpoints are values of t, slopes are by t.
RegionCount count_regions(const ReluNetwork& network, std::span<const double> from,
                          std::span<const double> to);

/// Convexity and monotony of a network on the interval, read from its slopes. Differences within
/// the rounding error of the slopes count as equal.
struct FunctionShape {
  bool convex = false, concave = false;
  bool increasing = false, decreasing = false;
};
FunctionShape shape_of(const RegionCount& count);

}  // namespace asap::region
