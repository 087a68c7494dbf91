#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compile/evidence.h"
#include "data/dataset.h"
#include "evaluate/compare/cascade.h"
#include "evaluate/compare/equal_latency.h"
#include "evaluate/compare/guard.h"
#include "evaluate/compare/method.h"
#include "evaluate/compare/plan_fidelity.h"
#include "evaluate/compare/turns.h"
#include "infer/encoder.h"

namespace asap::evaluate {

struct ComparisonSettings {
  std::vector<Method> methods;
  distributed::Workers workers = 1;
  std::int64_t fidelity_examples = 128;  ///< plans are compared on the first N examples
  /// Set when the compiled operator imitates not the teacher but Sinkhorn on the network's scores:
  /// its number of iterations.
  std::optional<int> imitated_iterations = {};
  /// Where the methods name sinkhorn:equal: among which K it is chosen.
  std::optional<EqualLatency> equal_latency = {};
  /// What chooses the thresholds of cascades; null where no method has one.
  const CascadeCalibration* cascade = nullptr;
  /// The threshold of every cascade where it is known already, as in a bundle.
  std::optional<CascadeThreshold> known_threshold = {};
};

/// What a cascade did.
struct CascadeResult {
  CascadeThreshold threshold;
  double rerun_share = 0;  ///< of the test examples: those that the teacher ran again
};

/// What one method achieves on a test set.
struct MethodResult {
  std::string name;
  double accuracy = 0;                ///< fraction of scored labels predicted
  double agreement = 0;               ///< fraction of the teacher's predictions predicted
  double examples_per_second = 0;     ///< whole network, all threads
  double attention_milliseconds = 0;  ///< processor time in attention per example, all layers
  /// Two standard errors of the two times, relative to them: see estimate_times.
  double rate_interval = 0, attention_interval = 0;
  double plan_l1 = 0;  ///< mean over layers and heads of HeadFidelity
  double column_error = 0;
  std::vector<std::vector<HeadFidelity>> heads;  ///< [layer][head]
  bool equal_latency = false;                    ///< see EqualLatency
  bool capped = false;                           ///< see EqualLatency
  /// Where the data set has labels; kNotScored as there.
  std::vector<std::int32_t> predictions = {};
  /// Of a compiled method that imitates something other than the teacher, when that is compared in
  /// the same layers: the fraction of its predictions predicted.
  std::optional<double> imitated_agreement = {};
  std::optional<GuardCounts> guard = {};  ///< of the methods guarded and warm
  /// Of a method with a cascade. Its times include the reruns; plan L1 and column error are those
  /// of the first stage.
  std::optional<CascadeResult> cascade = {};

  /// False for a cascade: its plans are those of its first stage, a method of its own.
  bool has_own_plans() const { return !cascade; }
  /// Whether it replaces the teacher in every layer; otherwise its name says in which.
  bool in_all_layers() const { return name.find('@') == std::string::npos; }
};

/// Evidence of a compiled operator, shown beside the methods.
struct OperatorEvidence {
  std::string teacher;        ///< what it imitates: CompileConfig::teacher
  int iterations = 0;         ///< T of that
  std::int64_t examples = 0;  ///< on which the heads were measured
  std::vector<std::vector<compile::HeadEvidence>>
      heads;  ///< [layer][head]; empty when not measured
};

struct Comparison {
  std::vector<MethodResult> methods;
  std::optional<OperatorEvidence> compiled = {};
  std::int64_t examples = 0;
  std::string examples_name = "images";  ///< what they are: see data::examples_name
  std::int64_t fidelity_examples = 0;
  int threads = 1;                                     ///< of all ranks together
  std::vector<std::int32_t> teacher_predictions = {};  ///< as MethodResult::predictions

  /// The method of this name; null when it was not compared.
  const MethodResult* find(std::string_view name) const;
  /// Whether some method imitates something other than the teacher that was compared as well.
  bool shows_imitation() const;
  /// Whether some method has a cascade.
  bool shows_cascade() const;
};

/// Runs the encoder over the whole data set with the attention of each method in turn: see
/// take_turns. Everything but the times, and which K sinkhorn:equal stands for, is the same for any
/// number of threads and ranks; each rank gets the whole comparison.
///
/// The thresholds of cascades are chosen first, from ComparisonSettings::cascade.
///
/// `compiled`: heads of the compiled operator, or null. NumericalError when a method gives logits
/// that are not finite; UsageError when the data set does not fit the encoder or a method needs
/// `compiled`.
Comparison compare_methods(const infer::Encoder& encoder, const CompiledHeads* compiled,
                           const data::Dataset& dataset, const ComparisonSettings& settings,
                           const ProgressCallback& progress = {});

}  // namespace asap::evaluate
