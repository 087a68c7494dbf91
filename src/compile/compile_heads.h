#pragma once

#include <functional>

#include "compile/activations.h"
#include "compile/evidence.h"

namespace asap::compile {

/// The compiled operator of a whole model with its evidence, [layer][head].
struct CompiledModel {
  std::vector<std::vector<attention::CompiledHead>> heads;
  std::vector<std::vector<HeadEvidence>> evidence;
  std::int64_t fitted_examples = 0;
  std::int64_t held_out_examples = 0;
};

/// Examples [first, first + count).
struct ExampleRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// The teacher of one head on these examples; those without a live query or key are left out.
/// DataError when none is left.
std::vector<TeacherSample> run_teachers(const Activations& activations, int layer,
                                        std::int64_t head, const ExampleRange& examples);

/// Called with the number of heads done and the number of all heads.
using CompileProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Fits a dual map to every head of the teacher on the first config.calibration examples and
/// measures it on the next config.held_out. Heads are independent and run on `threads` threads; the
/// result does not depend on their number.
///
/// UsageError when the teacher does not iterate (softmax), when there are more slices than
/// canonical slices, or when the output objective lacks values; DataError when there are too few
/// examples.
CompiledModel compile_heads(const Activations& activations, const CompileConfig& config,
                            int threads, const CompileProgress& progress = {});

}  // namespace asap::compile
