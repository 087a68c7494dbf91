#pragma once

#include "attention/stored/sinkhorn_attention.h"

namespace asap::attention {

/// What one low-rank attention head keeps for its backward pass.
template <class T>
struct LotformerState {
  SinkhornState<T> to_pivots;          // plan B of queries and pivots: [n, r]
  SinkhornState<T> from_pivots;        // plan C of pivots and keys: [r, m]
  tensor::MatrixView<T> pivot_values;  // C V: [r, Dv]
  T column_error = T(0);               // mean_j |M/N sum_i A_ij - 1|
};

/// Low-rank doubly stochastic attention (LOTFormer, Shahbazi et al. 2025, arXiv 2509.23436): two
/// entropic plans, from queries to r learned pivots Z and from the pivots to keys, glued at the
/// pivots:
///   A = B C,  B = Sinkhorn(scale Q Zᵀ),  C = Sinkhorn(scale Z Kᵀ).
/// Rows of A sum to 1, columns approach n/m, its rank is at most r; memory and time are O((n + m)
/// r). `iterations` T as in sinkhorn_attention, whose exact gradient is used for both plans.
///
/// head.learned: Z: [r, D]. output: [n, Dv], zero when there is no key.
template <class T>
LotformerState<T> lotformer_attention(const AttentionHead<T>& head, int iterations,
                                      tensor::MatrixView<T> output, tensor::Arena& arena);

/// Vector-Jacobian product of lotformer_attention. Uses up `state`.
template <class T>
void lotformer_attention_vjp(const AttentionHead<T>& head, LotformerState<T>& state,
                             tensor::MatrixView<const T> output,
                             tensor::MatrixView<const T> output_gradient,
                             const HeadGradients<T>& gradients, tensor::Arena& scratch);

}  // namespace asap::attention
