#pragma once

#include <memory>
#include <vector>

#include "attention/interface/attention_operator.h"
#include "attention/interface/trainable_attention.h"

namespace asap::attention {

/// Runs one attention kind in every layer: the teacher, softmax, Sinkhorn with k iterations.
class KindOperator final : public AttentionOperator {
 public:
  /// scales: for each layer and head the factor of the scores, 1 / (sqrt(D) epsilon).
  /// learned: for each layer what the kind learns besides, [H, rows, cols]; empty for kinds that
  /// learn nothing.
  /// slacks: for each layer and head AttentionHead::slack; empty: none.
  KindOperator(std::unique_ptr<TrainableAttention<float>> kind,
               std::vector<std::vector<float>> scales,
               std::vector<tensor::Tensor<float>> learned = {},
               std::vector<std::vector<float>> slacks = {})
      : kind_(std::move(kind)),
        scales_(std::move(scales)),
        learned_(std::move(learned)),
        slacks_(std::move(slacks)) {}

  void apply(int layer, const AttentionBatch<float>& batch, tensor::MatrixView<float> output,
             tensor::Arena& scratch) const override;

  void plans(int layer, const AttentionBatch<float>& batch, tensor::MatrixView<float> plans,
             tensor::Arena& scratch) const override;

  bool works_by_example() const override { return true; }

  /// What the kind computes on for one head of one example.
  AttentionHead<float> head(int layer, const AttentionBatch<float>& batch, std::int64_t example,
                            std::int64_t head) const;

  const TrainableAttention<float>& kind() const { return *kind_; }
  float scale(int layer, std::int64_t head) const { return scales_[layer][head]; }

 private:
  std::unique_ptr<TrainableAttention<float>> kind_;
  std::vector<std::vector<float>> scales_;
  std::vector<tensor::Tensor<float>> learned_;
  std::vector<std::vector<float>> slacks_;
};

}  // namespace asap::attention
