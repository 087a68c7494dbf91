#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "data/dataset.h"
#include "evaluate/compare/method.h"

namespace asap::evaluate {

/// The largest K from 0 to `most` that is affordable; nothing when 0 is not. Found by bisection, so
/// everything below an affordable K is taken to be affordable.
std::optional<int> largest_affordable(int most, const std::function<bool(int)>& affordable);

/// Replaces "sinkhorn:equal" by "sinkhorn:K", marked as of equal latency. K is the largest number
/// of iterations, at most that of the attention the operator imitates, whose milliseconds in
/// attention are not above the compiled operator's. Both are measured side by side on some of the
/// examples, medians of several turns. When not even K = 0 is fast enough, K is 0. If the methods
/// hold sinkhorn:K already, that is marked instead. Without "sinkhorn:equal" nothing is measured.
///
/// This is the only place where a measured time decides what is computed.
///
/// `teacher_iterations`: of the attention that the operator imitates. UsageError when there is no
/// operator.
std::vector<Method> resolve_equal_latency(std::vector<Method> methods,
                                          const infer::Encoder& encoder,
                                          const CompiledHeads* compiled, int teacher_iterations,
                                          const data::Dataset& dataset);

}  // namespace asap::evaluate
