#pragma once

#include "compile/candidate.h"
#include "compile/evidence.h"
#include "compile/head_passes.h"

namespace asap::compile {

/// The compiled operator of a whole model with its evidence, [layer][head].
struct CompiledModel {
  CompileConfig config;                                     ///< as it was given
  std::vector<std::vector<attention::CompiledHead>> heads;  ///< with their column errors
  std::vector<std::vector<HeadEvidence>> evidence;
  OperatorChoice choice;  ///< everything that was tried
  std::int64_t fitted_examples = 0;
  std::int64_t held_out_examples = 0;
};

/// The teacher of one head on these examples; those without a live query or key are left out.
/// DataError when none is left.
std::vector<TeacherSample> run_teachers(const Activations& activations, int layer,
                                        std::int64_t head, const ExampleRange& examples);

/// Number of examples of all passes of compile_heads.
std::int64_t compile_steps(const CompileConfig& config);

/// Fits dual maps to every head of the teacher on the first config.calibration examples and
/// measures them on the next config.held_out. With features = auto several maps are fitted, and
/// each layer takes the cheapest of these maps, with all or some of their corrected iterations, and
/// of the teacher's loop, whole or cut: see choose_operator. Times are those of a machine profile,
/// so the choice is the same on every run. A last pass notes the column errors of the maps on all
/// these examples, unless they are key biases. Heads are independent and shared out to threads and
/// ranks; every rank gets all of them, and the result does not depend on their numbers. Several
/// passes over the source; objectives other than ridge keep every example.
///
/// UsageError when the teacher does not iterate (softmax), when there are more slices than
/// canonical slices, or when the output objective lacks values; DataError when there are too few
/// examples, or the profile cannot be read.
CompiledModel compile_heads(const ActivationSource& source, const CompileConfig& config,
                            const distributed::Workers& workers,
                            const CompileProgress& progress = {});
CompiledModel compile_heads(const Activations& activations, const CompileConfig& config,
                            int threads, const CompileProgress& progress = {});

}  // namespace asap::compile
