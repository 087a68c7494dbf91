#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "evaluate/compare/method.h"

namespace asap::evaluate {

/// The largest K from 0 to `most` that is affordable; nothing when 0 is not. Found by bisection, so
/// everything below an affordable K is taken to be affordable.
std::optional<int> largest_affordable(int most, const std::function<bool(int)>& affordable);

/// Among which K the truncation that takes the compiled operator's time is chosen.
struct EqualLatency {
  std::vector<int> candidates;  ///< ascending
  int most = 0;                 ///< iterations of the attention that the operator imitates
};

/// The K that was chosen; `capped`: it is that of the imitated attention, and more iterations,
/// which are not tried, might fit.
struct EqualChoice {
  int iterations = 0;
  bool capped = false;
};

/// The candidates where `methods` name sinkhorn:equal, else nothing: the K that a short measurement
/// on some of the examples finds, and its neighbours. The comparison times them like all methods,
/// and choose_equal_latency decides by those times: what the table shows is what was compared.
///
/// `teacher_iterations`: of the attention that the operator imitates. UsageError when there is no
/// operator.
std::optional<EqualLatency> find_equal_latency(const std::vector<Method>& methods,
                                               const infer::Encoder& encoder,
                                               const CompiledHeads* compiled,
                                               int teacher_iterations,
                                               const data::Dataset& dataset);

/// The largest candidate whose time in attention is not above the compiled operator's; the smallest
/// when all are. seconds: [candidates].
EqualChoice choose_equal_latency(const EqualLatency& equal, std::span<const double> seconds,
                                 double compiled_seconds);

}  // namespace asap::evaluate
