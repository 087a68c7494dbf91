#pragma once

#include "attention/attention_kernel.h"
#include "autodiff/tape.h"

namespace asap {

/// How a packed projection is cut into heads, and which tokens count.
struct AttentionLayout {
  std::int64_t heads = 1;
  std::span<const std::int32_t> live = {};  ///< [B] live tokens, which come first; empty = all
};

/// Self-attention of every head of every example. qkv: [B, N, 3 W], queries then keys then values, heads
/// side by side in each -> [B, N, W]. Scores are Q Kᵀ / (sqrt(D) epsilon_h) with log_epsilon: [H].
/// Output rows of padded tokens are zero. `kernel`, `evidence` and `layout.live` must outlive the pass.
template <class T>
Var<T> attention(Var<T> qkv, Var<T> log_epsilon, const AttentionLayout& layout,
                 const AttentionKernel<T>& kernel, AttentionEvidence& evidence);

}  // namespace asap
