#pragma once

#include "attention/interface/head_gradients.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// What one differential attention head keeps for its backward pass.
template <class T>
struct DifferentialState {
  tensor::MatrixView<T> first, second;        // A1, A2: [n, m], rows padded
  tensor::MatrixView<T> second_output;        // A2 V: [n, Dv]
  tensor::VectorView<T> inverse_root_square;  // 1 / sqrt(mean_k y_ik² + 1e-5): [n]
  T lambda = T(0);
};

/// Differential attention (Ye et al. 2024, arXiv 2410.05258): queries and keys are cut into halves,
/// and the second softmax is subtracted from the first, so that what both attend to cancels:
///   y = (A1 - lambda A2) V,  A_k = softmax(√2 scale Q_k K_kᵀ)
///   lambda = exp(q1 . k1) - exp(q2 . k2) + lambda_init,  lambda_init = 0.8 - 0.6 exp(-0.3 layer)
///   output_i = (1 - lambda_init) y_i / sqrt(mean_k y_ik² + 1e-5)
/// The last line is the paper's head-wise normalisation without its gain, which the output
/// projection absorbs. √2, since halves are D/2 wide and scale is 1 / (√D epsilon).
///
/// D must be even. head.learned: q1, k1, q2, k2: [4, D/2]. output: [n, Dv], zero when there is no
/// key.
template <class T>
DifferentialState<T> differential_attention(const AttentionHead<T>& head,
                                            tensor::MatrixView<T> output, tensor::Arena& arena);

/// Vector-Jacobian product of differential_attention.
template <class T>
void differential_attention_vjp(const AttentionHead<T>& head, const DifferentialState<T>& state,
                                tensor::MatrixView<const T> output,
                                tensor::MatrixView<const T> output_gradient,
                                const HeadGradients<T>& gradients, tensor::Arena& scratch);

/// 0.8 - 0.6 exp(-0.3 layer), layers counted from 0.
double differential_lambda_init(int layer);

}  // namespace asap::attention
