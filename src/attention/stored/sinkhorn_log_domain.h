#pragma once

#include "attention/stored/sinkhorn_attention.h"

namespace asap::attention {

/// Writes the scores S of the head to state.gibbs, which lives in `scratch` from then on unless the
/// state keeps it.
template <class T>
void log_domain_scores(const AttentionHead<T>& head, SinkhornState<T>& state,
                       tensor::Arena& scratch);

/// The same attention with every update a log-sum-exp: slower, finite for any finite scores.
/// Expects the scores S in state.gibbs; fills the factors with the duals f^t, g^t and writes the
/// output.
template <class T>
void sinkhorn_log_domain(const AttentionHead<T>& head, SinkhornState<T>& state,
                         tensor::MatrixView<T> output, tensor::Arena& scratch);

/// Sinkhorn attention in the log domain from the start, as it is published: the same values as
/// sinkhorn_attention up to rounding. `scratch` is rewound.
template <class T>
void log_domain_sinkhorn_attention(const AttentionHead<T>& head, int iterations,
                                   tensor::MatrixView<T> output, tensor::Arena& scratch);

/// Exact vector-Jacobian product of sinkhorn_log_domain: walks the iterations backwards and
/// rebuilds the row- or column-normalised plan of each half-update. Scores that the state did not
/// keep are computed again.
template <class T>
void sinkhorn_log_domain_vjp(const AttentionHead<T>& head, const SinkhornState<T>& state,
                             tensor::MatrixView<const T> output,
                             tensor::MatrixView<const T> output_gradient,
                             const HeadGradients<T>& gradients, tensor::Arena& scratch);

}  // namespace asap::attention
