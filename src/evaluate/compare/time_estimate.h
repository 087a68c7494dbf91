#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace asap::evaluate {

/// What the turns of one method say about the time it needs.
struct TimeEstimate {
  double seconds = 0;   ///< per example
  double interval = 0;  ///< two standard errors, relative to `seconds`; NaN after a single turn
};

/// Estimates from turns in which several methods did the same work, one after the other.
///
/// seconds: [methods][turns], in turn t for the same examples[t] examples; examples: [turns].
///
/// In each turn the machine and the examples slow all methods by a common factor, which a median
/// polish of the logarithms takes out. What is left of a turn of one method is its noise: it gives
/// the interval, and turns that something else interrupted are cut to 1.5 deviations (Huber 1964).
/// So two methods that do the same differ by their intervals, however busy the machine is; how far
/// the times of all of them together vary from one run to the next is not part of the interval.
std::vector<TimeEstimate> estimate_times(const std::vector<std::vector<double>>& seconds,
                                         std::span<const std::int64_t> examples);

}  // namespace asap::evaluate
