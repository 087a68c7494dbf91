#pragma once

#include "attention/interface/trainable_attention.h"
#include "autodiff/tape.h"

namespace asap::autodiff {

/// How a packed projection is cut into heads, and which tokens count.
struct AttentionLayout {
  std::int64_t heads = 1;
  std::span<const std::int32_t> live = {};  ///< [B] live tokens, which come first; empty = all
  int layer = 0;                            ///< depth of the layer, from 0
  tensor::ProductPrecision precision = tensor::ProductPrecision::single;  ///< T = float alone
};

/// The inputs of attention.
template <class T>
struct AttentionInputs {
  Var<T> qkv;          ///< [B, N, 3 W]: queries, then keys, then values, heads side by side in each
  Var<T> log_epsilon;  ///< [H]; scores are Q Kᵀ / (sqrt(D) epsilon_h)
  Var<T> learned = {};  ///< [H, rows, cols] where the kind learns something (see LearnedShape)
};

/// Self-attention of every head of every example -> [B, N, W]. Output rows of padded tokens are
/// zero. `kind`, `evidence` and `layout.live` must outlive the pass.
template <class T>
Var<T> attention(const AttentionInputs<T>& inputs, const AttentionLayout& layout,
                 const attention::TrainableAttention<T>& kind,
                 attention::AttentionEvidence& evidence);

}  // namespace asap::autodiff
