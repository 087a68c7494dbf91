#pragma once

#include <cmath>
#include <functional>

#include "compile/activation_source.h"
#include "compile/evidence.h"

namespace asap::compile {

/// A set of features that was fitted, and how well it did on the held-out examples.
struct Candidate {
  std::vector<std::string> features;
  HeadEvidence mean;  ///< over heads

  /// What candidates are judged by: the output error, or the plan L1 without values.
  double error() const { return std::isnan(mean.output_error) ? mean.plan_l1 : mean.output_error; }
};

/// The compiled operator of a whole model with its evidence, [layer][head].
struct CompiledModel {
  CompileConfig config;                                     ///< with the features that were chosen
  std::vector<std::vector<attention::CompiledHead>> heads;  ///< with their column errors
  std::vector<std::vector<HeadEvidence>> evidence;
  std::vector<Candidate> candidates;  ///< all that were tried
  std::int64_t fitted_examples = 0;
  std::int64_t held_out_examples = 0;
};

/// The teacher of one head on these examples; those without a live query or key are left out.
/// DataError when none is left.
std::vector<TeacherSample> run_teachers(const Activations& activations, int layer,
                                        std::int64_t head, const ExampleRange& examples);

/// Called with the number of examples done and of all examples of all passes.
using CompileProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Number of examples of all passes of compile_heads.
std::int64_t compile_steps(const CompileConfig& config);

/// An error up to this many times the least counts as nearly as good.
inline constexpr double kNearlyAsGood = 1.25;

/// Fits a dual map to every head of the teacher on the first config.calibration examples and
/// measures it on the next config.held_out. With features = auto several sets are fitted. Of those
/// whose output error (or plan L1, without values) on the held-out examples, as mean over heads, is
/// at most kNearlyAsGood times the least, the cheapest is kept. A last pass notes the column errors
/// of its heads on all these examples, unless they are key biases. Heads are independent and run on
/// `threads` threads; the result does not depend on their number. Several passes over the source;
/// objectives other than ridge keep every example.
///
/// UsageError when the teacher does not iterate (softmax), when there are more slices than
/// canonical slices, or when the output objective lacks values; DataError when there are too few
/// examples.
CompiledModel compile_heads(const ActivationSource& source, const CompileConfig& config,
                            int threads, const CompileProgress& progress = {});
CompiledModel compile_heads(const Activations& activations, const CompileConfig& config,
                            int threads, const CompileProgress& progress = {});

}  // namespace asap::compile
