#pragma once

#include <algorithm>
#include <vector>

#include "attention/interface/attention_operator.h"
#include "tensor/core/tensor.h"

namespace asap::evaluate {

/// Runs another operator in one pass of a batch through the network. Counts for each example the
/// heads that a guard left to the teacher and, if asked to, keeps the outputs of the first layers
/// where those of the example are the teacher's own: a second run by the teacher need not repeat
/// them (ReplayedTeacher).
class GuardTally final : public attention::AttentionOperator {
 public:
  enum class Outputs { forgotten, kept };

  GuardTally(const attention::AttentionOperator& inner, int layers, std::int64_t examples,
             Outputs outputs = Outputs::forgotten)
      : inner_(inner),
        seen_(static_cast<std::size_t>(layers)),
        heads_(static_cast<std::size_t>(examples)),
        kept_(outputs == Outputs::kept ? heads_.size() : 0) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    std::int64_t& seen = seen_[static_cast<std::size_t>(layer)];
    attention::AttentionBatch<float> counted = batch;
    counted.guarded = std::span(heads_).subspan(static_cast<std::size_t>(seen),
                                                static_cast<std::size_t>(batch.examples));
    inner_.apply(layer, counted, output, scratch);
    if (!kept_.empty())
      for (std::int64_t b = 0; b < batch.examples; ++b)
        if (counted.guarded[static_cast<std::size_t>(b)].teacher_layers > layer)
          keep(batch, output, b, seen + b);
    seen += batch.examples;
  }

  void plans(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> plans, tensor::Arena& scratch) const override {
    inner_.plans(layer, batch, plans, scratch);
  }

  bool works_by_example() const override { return inner_.works_by_example(); }

  /// [examples]
  std::span<const attention::GuardedHeads> heads() const { return heads_; }

  /// Of an example, the outputs of layers 0, 1, ... that are the teacher's own: [live N, W] each.
  std::span<const tensor::Tensor<float>> teacher_outputs(std::int64_t example) const {
    if (kept_.empty()) return {};
    return kept_[static_cast<std::size_t>(example)];
  }

 private:
  void keep(const attention::AttentionBatch<float>& batch, tensor::MatrixView<const float> output,
            std::int64_t b, std::int64_t example) const {
    const std::int64_t live = batch.live_query_count(b);
    tensor::Tensor<float>& kept =
        kept_[static_cast<std::size_t>(example)].emplace_back(tensor::Shape{live, output.cols});
    for (std::int64_t i = 0; i < live; ++i)
      std::ranges::copy(output.row(b * batch.query_tokens() + i), kept.rows().row(i).begin());
  }

  const attention::AttentionOperator& inner_;
  mutable std::vector<std::int64_t> seen_;  // examples of each layer
  mutable std::vector<attention::GuardedHeads> heads_;
  mutable std::vector<std::vector<tensor::Tensor<float>>> kept_;  // [examples] or empty
};

}  // namespace asap::evaluate
