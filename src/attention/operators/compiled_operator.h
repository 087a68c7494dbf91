#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "attention/compiled/compiled_attention.h"
#include "attention/interface/attention_operator.h"
#include "attention/operators/column_errors.h"
#include "attention/tiled/gibbs_sweep.h"
#include "tensor/core/tensor.h"

namespace asap::attention {

/// What a compiled head does.
enum class CompiledMode {
  row_dual,  ///< predicts f, and closes it with a column and a row update: compiled_attention.h
  key_bias,  ///< predicts g, and adds it to the scores of a softmax: key_bias.h
  sinkhorn,  ///< predicts nothing: the teacher's loop, whole or cut, where that is cheaper
};

/// A dual map that owns its numbers, and the factor of the scores it was fitted for. With a key
/// bias, queries and keys change places in all of them: see predicted_key_bias.
struct CompiledHead {
  DualFeatures features = DualFeatures::none();
  CompiledMode mode = CompiledMode::row_dual;
  float score_scale = 1;                 ///< scores are score_scale * q . k: 1 / (√D ε)
  float slack = 0;                       ///< c of AttentionHead
  tensor::Tensor<float> query_slices{};  ///< [L, D]; empty when no feature uses slices
  tensor::Tensor<float> key_slices{};    ///< [L, D]
  std::vector<float> weights{};          ///< see DualMap
  tensor::Tensor<float> landmarks{};     ///< prototypes of keys: [M, D]; empty unless a feature
  int teacher_iterations = 1;            ///< T; read by the landmark dual and by guards
  int iterations = 0;                    ///< K of mode sinkhorn
  ProductPrecision precision = ProductPrecision::single;  ///< of a map's matrix products
  ColumnErrors column_errors{};                           ///< what certificates are held against

  DualMap<float> map() const {
    return {features,
            query_slices.rows(),
            key_slices.rows(),
            weights,
            {landmarks.rows(), teacher_iterations, mode == CompiledMode::key_bias}};
  }
  /// The same head, whose map has `first_dual` in place of `start`: see GeneralMap.
  CompiledHead general() const;
  /// Whether there is a map.
  bool predicts() const { return mode != CompiledMode::sinkhorn; }
  /// f̂ = 0: the closure alone.
  static CompiledHead zero_dual(float score_scale, float slack = 0) {
    return {.score_scale = score_scale, .slack = slack};
  }
  /// What the head computes on.
  AttentionHead<float> inputs(tensor::MatrixView<const float> queries,
                              tensor::MatrixView<const float> keys,
                              tensor::MatrixView<const float> values) const {
    AttentionHead<float> head{queries, keys, values, score_scale};
    head.slack = slack;
    return head;
  }
};

/// Attention by the compiled operator in every layer and head.
class CompiledOperator : public AttentionOperator {
 public:
  /// heads[layer][head]; `extra_iterations` Sinkhorn iterations follow, warm-started from the
  /// closure or as more of the loop; InternalError if negative. `precision` is that of all heads;
  /// without it each has its own.
  explicit CompiledOperator(std::vector<std::vector<CompiledHead>> heads, int extra_iterations = 0,
                            std::optional<ProductPrecision> precision = {});

  void apply(int layer, const AttentionBatch<float>& batch, tensor::MatrixView<float> output,
             tensor::Arena& scratch) const override;

  bool works_by_example() const override { return true; }

  const std::vector<std::vector<CompiledHead>>& heads() const { return heads_; }
  /// Heads (of one example each) that had to be computed in the log domain so far.
  std::int64_t log_domain_heads() const { return log_domain_heads_; }

 private:
  /// Whether the head had to leave the exp domain.
  bool attend(const CompiledHead& head, const AttentionHead<float>& inputs,
              tensor::MatrixView<float> output, tensor::Arena& scratch) const;

  std::vector<std::vector<CompiledHead>> heads_;
  int extra_iterations_;
  mutable std::atomic<std::int64_t> log_domain_heads_ = 0;
};

}  // namespace asap::attention
