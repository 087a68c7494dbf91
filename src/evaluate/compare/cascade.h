#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "bundle/trained_model.h"
#include "compile/compile_config.h"
#include "data/batch.h"
#include "distributed/shared_items.h"
#include "evaluate/compare/guard_tally.h"
#include "evaluate/compare/method.h"
#include "evaluate/compare/timed_attention.h"
#include "infer/encoder.h"

namespace asap::evaluate {

/// How a margin cascade is calibrated: see choose_threshold.
struct CascadeConfig {
  bool all = false;
  double share = 0.05;
  int examples = 1024;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("all", all, "compare every compiled method with reruns by the teacher as well");
    v.field("share", share,
            "largest share of examples like those of the calibration that are run again, with a "
            "confidence of 95 %",
            {0, 1, true});
    v.field("examples", examples,
            "training examples that choose the threshold; fewer where there are fewer",
            config::between(1, 1'000'000));
  }
};

/// Training examples that choose the threshold of every cascade. Their labels are not read.
struct CascadeCalibration {
  data::Dataset dataset;
  std::vector<std::int64_t> examples;
  double share = 0.05;  ///< as CascadeConfig
};

/// Examples of the training part of the run's own data, drawn as asap-compile draws them: those
/// that follow the ones on which the operator was fitted. DataError where there are none.
CascadeCalibration draw_cascade_calibration(const std::filesystem::path& run,
                                            const compile::CompileConfig& fit,
                                            const CascadeConfig& config);

/// What a network predicts for one example, and how sure it is.
struct Answer {
  std::vector<std::int32_t> predictions;  ///< of the labels that are scored
  std::vector<float> logits;              ///< of the same: [predictions, classes]
  /// Difference of the two largest logits; the smallest where several labels are scored. Infinite
  /// where none is. Over the share of the heads that a guard left compiled, see answer_of.
  float margin = 0;
};

/// logits: the rows of one example, [label_count or more, classes]. What margin an example loses
/// adds up over the heads that are compiled. Where a guard left some of them to the teacher, the
/// example needs only the share compiled_share of a threshold; so its margin counts for
/// 1 / compiled_share as much, and is infinite where no head is compiled any more: the answer is
/// the teacher's.
Answer answer_of(const data::Dataset& dataset, std::int64_t example,
                 tensor::MatrixView<const float> logits, float compiled_share = 1);

using bundle::CascadeThreshold;  // a bundle may keep one

/// How much margin an example can lose: by how much the logit of the class that the method predicts
/// is nearer to, or farther below, the largest other logit of the teacher than of the method. The
/// largest over the labels of an example. Predictions differ if it exceeds the margin. The sizes of
/// the losses are known from every example; disagreements are few, and fewer still among examples
/// that the network was trained on.
float margin_loss(const Answer& method, const Answer& teacher);

/// The loss of margin that 99 % of the less sure quarter of the examples stay below or, where that
/// threshold would rerun more, the largest that reruns at most `share` of examples like these with
/// a confidence of 95 %: some fewer of the given ones.
CascadeThreshold choose_threshold(std::span<const Answer> method, std::span<const Answer> teacher,
                                  double share);

/// The answers for these examples, in their order, for any number of threads.
std::vector<Answer> answers(const infer::Encoder& encoder,
                            const attention::AttentionOperator& attention,
                            const CascadeCalibration& calibration,
                            const distributed::Workers& workers);

/// The threshold that the calibration chooses for a compiled method.
CascadeThreshold calibrated_threshold(const infer::Encoder& encoder, const Method& method,
                                      const CompiledHeads& compiled,
                                      const CascadeCalibration& calibration, int threads);

/// The second stage of a cascade: the teacher, for the examples that the first stage is not sure
/// of.
class Cascade {
 public:
  Cascade(const infer::Encoder& encoder, const CascadeThreshold& threshold);

  /// Replaces the logits of uncertain examples of a batch by the teacher's. `batch` of `dataset`;
  /// logits: as Encoder::forward wrote them, in a pass that `first` saw. Returns the number of
  /// examples run again. The teacher runs them as one batch.
  std::int64_t rerun(const data::Dataset& dataset, std::span<const std::int64_t> batch,
                     const GuardTally& first, tensor::MatrixView<float> logits,
                     tensor::Arena& arena) const;

  const CascadeThreshold& threshold() const { return threshold_; }
  /// Processor time in the teacher's attention so far.
  double attention_seconds() const { return timed_.seconds(); }

 private:
  const infer::Encoder& encoder_;
  CascadeThreshold threshold_;
  std::unique_ptr<attention::AttentionOperator> teacher_;
  TimedAttention timed_;
};

}  // namespace asap::evaluate
