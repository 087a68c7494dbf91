#pragma once

#include <vector>

#include "attention/interface/attention_operator.h"

namespace asap::evaluate {

/// Runs another operator in one pass of a batch through the network, and counts for each example
/// the heads that a guard left to the teacher.
class GuardTally final : public attention::AttentionOperator {
 public:
  GuardTally(const attention::AttentionOperator& inner, int layers, std::int64_t examples)
      : inner_(inner),
        seen_(static_cast<std::size_t>(layers)),
        heads_(static_cast<std::size_t>(examples)) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    std::int64_t& seen = seen_[static_cast<std::size_t>(layer)];
    attention::AttentionBatch<float> counted = batch;
    counted.guarded = std::span(heads_).subspan(static_cast<std::size_t>(seen),
                                                static_cast<std::size_t>(batch.examples));
    seen += batch.examples;
    inner_.apply(layer, counted, output, scratch);
  }

  void plans(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> plans, tensor::Arena& scratch) const override {
    inner_.plans(layer, batch, plans, scratch);
  }

  bool works_by_example() const override { return inner_.works_by_example(); }

  /// [examples]
  std::span<const attention::GuardedHeads> heads() const { return heads_; }

 private:
  const attention::AttentionOperator& inner_;
  mutable std::vector<std::int64_t> seen_;  // examples of each layer
  mutable std::vector<attention::GuardedHeads> heads_;
};

}  // namespace asap::evaluate
