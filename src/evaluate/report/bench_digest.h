#pragma once

#include <string>
#include <vector>

#include "evaluate/bench/attention_bench.h"

namespace asap::evaluate {

/// The forms that most readers ask about, of those that were measured: softmax, the fastest
/// Sinkhorn loop in float32 (at the largest size), compiled, compiled_bf16.
std::vector<std::string> main_forms(const BenchResult& result);

/// Whether, and from which size on, compiled attention beats the fastest Sinkhorn loop; empty where
/// not both were measured.
std::string bench_conclusion(const BenchConfig& config, const BenchResult& result);

/// Whether a form computes faster than the peak that was measured. In bfloat16 it may.
bool exceeds_peak(const BenchResult& result, const FormResult& form);

/// A warning where a form exceeds the peak: something else used the processor while that was
/// measured. Empty: no doubt.
std::string busy_warning(const BenchResult& result);

/// Milliseconds and output errors of the main forms, the conclusion and the warning, as text.
std::string bench_digest(const BenchConfig& config, const BenchResult& result);

}  // namespace asap::evaluate
