#pragma once

#include "attention/interface/head_gradients.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// Temperatures of sliced soft-sort attention.
struct EspformerSettings {
  /// Of the soft sort: the larger, the nearer the soft permutations are to permutations and the
  /// plan to doubly stochastic. In units of 1 / score: projections are of √scale q and √scale k.
  double sort_inverse_temperature = 10;
  /// Of the weights of slices by their transport costs; 0: all slices weigh alike, and costs are
  /// not computed.
  double slice_inverse_temperature = 0.1;

  /// Whether the slices' costs are needed.
  bool weighs_slices(std::int64_t slices) const {
    return slice_inverse_temperature > 0 && slices > 1;
  }
};

/// Attention with an expected sliced transport plan (ESPFormer, Shahbazi et al. 2025, arXiv
/// 2502.07962). For slice l, with x_i = √scale q_i, y_j = √scale k_j, s = a_l . x and t = a_l . y:
///   P_ri ∝ exp(-beta (s_(r) - s_i)²), rows summing to 1: soft permutation of the queries, s_(r)
///   ascending; Q_cj likewise of the keys; Γ_l = Pᵀ C Q, a soft monotone plan, and D_l = 1/n sum_ij
///   |x_i - y_j|² (Γ_l)_ij, its cost;
/// and the plan is sum_l w_l Γ_l with w = softmax(-alpha D). C is the plan of the line between n
/// and m uniform masses, the identity for n = m.
///
/// The plan's entries sum to n; its rows sum to 1 and its columns to n / m only as far as soft
/// permutations are permutations. No Γ is formed: Pᵀ (C (Q V)) needs four products of attention's
/// size per slice (two without costs) and O(n D) memory beside one block of P.
///
/// slices: a: [L, D], L > 0. output: [n, Dv], zero when there is no key. Returns w: [L], in
/// `arena`.
template <class T>
tensor::VectorView<const double> espformer_attention(const AttentionHead<T>& head,
                                                     tensor::MatrixView<const T> slices,
                                                     const EspformerSettings& settings,
                                                     tensor::MatrixView<T> output,
                                                     tensor::Arena& arena);

/// How a forward pass was made and what it returned.
template <class T>
struct EspformerPass {
  tensor::MatrixView<const T> slices;  // [L, D]
  EspformerSettings settings;
  tensor::VectorView<const double> weights;  // [L]
};

/// Vector-Jacobian product of espformer_attention, exact, through sorted values and costs: about
/// three times the forward pass. The soft permutations of one slice at a time are in memory: [n, n]
/// and [m, m].
template <class T>
void espformer_attention_vjp(const AttentionHead<T>& head, const EspformerPass<T>& pass,
                             tensor::MatrixView<const T> output,
                             tensor::MatrixView<const T> output_gradient,
                             const HeadGradients<T>& gradients, tensor::Arena& scratch);

}  // namespace asap::attention
