#pragma once

#include "attention/compiled/compiled_features.h"

namespace asap::attention {

/// The head with queries and keys exchanged, whose rows are the keys; its values are not used.
template <class T>
AttentionHead<T> exchanged(const AttentionHead<T>& head) {
  return {head.keys, head.queries, {}, head.scale};
}

/// The predicted column dual ĝ = Φ w in centred coordinates, up to a constant. `map` is that of the
/// exchanged head: its rows are keys, its query_slices are for keys, its landmarks are prototypes
/// of queries. It uses no features of the scores and no corrections (InternalError). bias: [m].
template <class T>
void predicted_key_bias(const DualMap<T>& map, const AttentionHead<T>& head,
                        tensor::VectorView<T> bias, tensor::Arena& scratch);

/// The bias that goes with scores of the head's own, uncentred queries and keys:
///   b_j = ĝ_j - score_scale (k_j - k̄) . q̄,
/// so that softmax_j(score_scale q_i . k_j + b_j) is the plan. Any fused softmax attention that
/// takes an additive mask computes it. bias: [m].
template <class T>
void additive_key_bias(const DualMap<T>& map, const AttentionHead<T>& head,
                       tensor::VectorView<T> bias, tensor::Arena& scratch);

/// Softmax attention with the predicted key bias, in the log domain. With scores S = x . y:
///   A = softmax_rows(S + ĝ),  output = A V.
/// The teacher normalises rows last, so with its exact column dual this is its plan. Rows sum to 1
/// exactly, columns to N / M as closely as ĝ is exact.
///
/// extra_iterations: warm-started Sinkhorn iterations (row, column) of ĝ before the softmax.
/// output: [n, Dv], zero when there is no key. Returns the column error of the plan; 0 without
/// queries or keys.
template <class T>
double key_bias_attention(const DualMap<T>& map, const AttentionHead<T>& head, int extra_iterations,
                          tensor::MatrixView<T> output, tensor::Arena& scratch);

}  // namespace asap::attention
