#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// Kernels that treat each row of a matrix by itself (or sum over rows). T is float or double.
/// `accumulate` adds to the output instead of replacing it.

/// x(i, :) += bias. x: [rows, cols], bias: [cols].
template <class T>
void add_bias_rows(MatrixView<T> x, VectorView<const T> bias);

/// out (+)= sum over rows of x. x: [rows, cols], out: [cols].
template <class T>
void column_sums(MatrixView<const T> x, VectorView<T> out, bool accumulate);

/// out(i, :) = factors(i) * x(i, :). `out` may be `x`. x, out: [rows, cols], factors: [rows].
template <class T>
void scale_rows(MatrixView<const T> x, VectorView<const T> factors, MatrixView<T> out);

/// out(i) = <a(i, :), b(i, :)>. a, b: [rows, cols], out: [rows].
template <class T>
void row_dots(MatrixView<const T> a, MatrixView<const T> b, VectorView<T> out);

/// scale_rows(a, factors, out) and row_dots(a, b, dots) in one pass over a. `out` may be `a`.
template <class T>
void scale_rows_with_dots(MatrixView<const T> a, VectorView<const T> factors, MatrixView<const T> b,
                          MatrixView<T> out, VectorView<T> dots);

inline constexpr double kLayerNormEpsilon = 1e-5;
/// Weights of a layer norm: gain and offset, each [cols].
template <class T>
struct LayerNormWeights {
  VectorView<const T> gain;
  VectorView<const T> offset;
  double epsilon = kLayerNormEpsilon;
};

/// out = (x - mean) / sqrt(variance + epsilon) * gain + offset, row by row (Ba, Kiros and Hinton
/// 2016). x, out: [rows, cols]; `out` may be `x`. mean and inverse_deviation: [rows], kept for the
/// vector-Jacobian product; both may be empty when it is not needed.
template <class T>
void layer_norm(MatrixView<const T> x, const LayerNormWeights<T>& weights, MatrixView<T> out,
                VectorView<T> mean, VectorView<T> inverse_deviation);

/// Gradients of layer_norm; each may be absent (data == nullptr). gain and offset always
/// accumulate.
template <class T>
struct LayerNormGradients {
  MatrixView<T> x;
  bool accumulate_x = false;
  VectorView<T> gain;
  VectorView<T> offset;
};
/// Vector-Jacobian product of layer_norm, from the mean and inverse deviation that it kept. x, dy:
/// [rows, cols], gain: [cols], mean, inverse_deviation: [rows].
template <class T>
void layer_norm_vjp(MatrixView<const T> x, VectorView<const T> gain, VectorView<const T> mean,
                    VectorView<const T> inverse_deviation, MatrixView<const T> dy,
                    const LayerNormGradients<T>& gradients);

/// out(i, :) = exp(x(i, :) - max) / sum. x, out: [rows, cols]; `out` may be `x`.
template <class T>
void softmax_rows(MatrixView<const T> x, MatrixView<T> out);

/// dx (+)= y * (dy - <y, dy>) row by row, y being the output of softmax_rows. y, dy, dx: [rows,
/// cols].
template <class T>
void softmax_rows_vjp(MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dx,
                      bool accumulate);

/// out(i) = log sum_j exp(x(i, j)), safe against overflow; -infinity for an empty row. x: [rows,
/// cols], out: [rows].
template <class T>
void log_sum_exp_rows(MatrixView<const T> x, VectorView<T> out);

}  // namespace asap::tensor
