#pragma once

#include "tensor/core/view.h"

namespace asap::attention {

/// Sweeps over a stored Gibbs kernel, vectorised for the processor at run time. Each sweep reads
/// the Gibbs kernel once and does a row update and the following column sum together, so T Sinkhorn
/// iterations cost T passes, not 2 T.
///
/// Matrices here are [n, m] with rows padded to `padded_columns` values (the stride), and vectors
/// over columns are padded alike: the padding of the Gibbs kernel and of column scalings is zero,
/// so no sweep needs a tail. T is float or double.

/// m rounded up to whole cache lines.
template <class T>
constexpr std::int64_t padded_columns(std::int64_t m) {
  constexpr std::int64_t kLine = 64 / sizeof(T);
  return (m + kLine - 1) / kLine * kLine;
}

/// The two shifts that keep exp in range: r_i = -max_j S_ij, then c_j = -max_i (S_ij + r_i). Every
/// row and column of S + r + c then has a largest entry of exactly 0. Writes the padding of S and
/// c. row_shift: [n], column_shift: [padded m].
template <class T>
void score_shifts(tensor::MatrixView<T> scores, tensor::VectorView<T> row_shift,
                  tensor::VectorView<T> column_shift);

/// S becomes K = exp(S + r + c) in place.
template <class T>
void exponentiate(tensor::MatrixView<T> scores, tensor::VectorView<const T> row_shift,
                  tensor::VectorView<const T> column_shift);

/// exponentiate(scores, row_shift, column_shift); with the column scaling v: [padded m], u_i = 1 /
/// sum_j K_ij v_j and column_sum_j = sum_i u_i K_ij: [padded m].
template <class T>
void exponentiate_and_scale(tensor::MatrixView<T> scores, tensor::VectorView<const T> row_shift,
                            tensor::VectorView<const T> column_shift, tensor::VectorView<const T> v,
                            tensor::VectorView<T> u, tensor::VectorView<T> column_sum);

/// u_i = 1 / sum_j K_ij v_j, then column_sum_j = sum_i u_i K_ij.
template <class T>
void scaling_sweep(tensor::MatrixView<const T> gibbs, tensor::VectorView<const T> v,
                   tensor::VectorView<T> u, tensor::VectorView<T> column_sum);

/// u_i = weights_i / sum_j K_ij v_j, then column_sum_j = sum_i u_i K_ij. weights: [n].
template <class T>
void weighted_scaling_sweep(tensor::MatrixView<const T> gibbs, tensor::VectorView<const T> v,
                            tensor::VectorView<const T> weights, tensor::VectorView<T> u,
                            tensor::VectorView<T> column_sum);

/// w_i = factor_i * sum_j K_ij x_j, then column_sum_j = sum_i w_i K_ij: the step of the adjoint
/// recursion.
template <class T>
void adjoint_sweep(tensor::MatrixView<const T> gibbs, tensor::VectorView<const T> x,
                   tensor::VectorView<const T> factor, tensor::VectorView<T> w,
                   tensor::VectorView<T> column_sum);

/// column_sum_j = sum_i w_i K_ij.
template <class T>
void weighted_column_sum(tensor::MatrixView<const T> gibbs, tensor::VectorView<const T> w,
                         tensor::VectorView<T> column_sum);

}  // namespace asap::attention
