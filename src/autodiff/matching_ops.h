#pragma once

#include <cstdint>
#include <span>

#include "attention/interface/trainable_attention.h"
#include "autodiff/tape.h"

namespace asap::autodiff {

/// The rows of two matrices side by side: a: [N, p], b: [N, q] -> [N, p + q].
template <class T>
Var<T> concat_columns(Var<T> a, Var<T> b);

/// Attention of every head from one set of tokens to another, which may be of another size.
/// queries: [N, W], keys_values: [M, 2 W], keys, then values, heads side by side in each; N, M > 0
/// -> [N, W]. Scores are Q Kᵀ / sqrt(D). `kind`, which learns nothing of its own, and `evidence`
/// must outlive the pass.
template <class T>
Var<T> cross_attention(Var<T> queries, Var<T> keys_values, std::int64_t heads,
                       const attention::TrainableAttention<T>& kind,
                       attention::AttentionEvidence& evidence);

/// Logarithm of an assignment by dual softmax with matchability (Lindenberger et al. 2023,
/// "LightGlue", equations 7 and 8), in the form of a plan with dustbins: inside log softmax over
/// the row + log softmax over the column + log sigmoid of both logits, in the dustbins log sigmoid
/// of minus the logit, in the corner 0. scores: [N, M], row_logits: [N, 1], column_logits: [M, 1],
/// N, M > 0 -> [N + 1, M + 1].
template <class T>
Var<T> log_dual_softmax_plan(Var<T> scores, Var<T> row_logits, Var<T> column_logits);

/// The true partners of both sets: indices, -1 without partner, less for keypoints that are
/// ignored.
struct TruePartners {
  std::span<const std::int32_t> rows;     ///< [N]
  std::span<const std::int32_t> columns;  ///< [M]
};

/// Negative log-likelihood of the true partners and dustbins (after Sarlin et al. 2020, equation
/// 10), divided by `divisor`: half the mean over matches plus a quarter of the mean over the
/// keypoints without partner of either set. log_plan: [N + 1, M + 1] -> scalar. Partners must
/// outlive the pass.
template <class T>
Var<T> assignment_loss(Var<T> log_plan, const TruePartners& partners, T divisor);

}  // namespace asap::autodiff
