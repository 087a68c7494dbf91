#pragma once

#include "attention/interface/head_gradients.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// Softmax attention of one head (Vaswani et al. 2017): A = softmax of each row of S, output = A V.
/// Returns A: [n, m], rows padded to `padded_columns`, which lives in `arena`. output: [n, Dv];
/// zero when there is no key.
template <class T>
tensor::MatrixView<T> softmax_attention(const AttentionHead<T>& head, tensor::MatrixView<T> output,
                                        tensor::Arena& arena);

/// Vector-Jacobian product of softmax_attention from its plan and output.
template <class T>
void softmax_attention_vjp(const AttentionHead<T>& head, tensor::MatrixView<const T> plan,
                           tensor::MatrixView<const T> output_gradient,
                           const HeadGradients<T>& gradients, tensor::Arena& scratch);

/// Whether A is so large that keeping it costs more than computing it again.
bool softmax_plan_is_large(std::int64_t n, std::int64_t m);

/// softmax_attention in blocks of rows that fit the second cache: memory O(m), and no plan remains.
template <class T>
void blocked_softmax_attention(const AttentionHead<T>& head, tensor::MatrixView<T> output,
                               tensor::Arena& scratch);

/// Vector-Jacobian product of blocked_softmax_attention, which computes each block of A again.
template <class T>
void blocked_softmax_attention_vjp(const AttentionHead<T>& head,
                                   tensor::MatrixView<const T> output_gradient,
                                   const HeadGradients<T>& gradients, tensor::Arena& scratch);

}  // namespace asap::attention
