#pragma once

#include "tensor/kernels/row_ops.h"

namespace asap::tensor {

/// The row kernels of one instruction set; row_ops.h says what each computes.
template <class T>
struct RowOpsKernelSet {
  void (*add_bias)(MatrixView<T> x, const T* bias);
  void (*column_sums)(MatrixView<const T> x, T* out, bool accumulate);
  T (*log_sum_exp)(const T* x, std::int64_t count);
  void (*scale_rows)(MatrixView<const T> x, const T* factors, MatrixView<T> out);
  void (*row_dots)(MatrixView<const T> a, MatrixView<const T> b, T* out);
  void (*scale_rows_with_dots)(MatrixView<const T> a, const T* factors, MatrixView<const T> b,
                               MatrixView<T> out, T* dots);
};

/// The layer norm and softmax kernels of one instruction set; row_ops.h says what each computes.
template <class T>
struct RowNormalisationKernelSet {
  /// mean and inverse_deviation may be null.
  void (*layer_norm)(MatrixView<const T> x, const T* gain, const T* offset, T epsilon,
                     MatrixView<T> out, T* mean, T* inverse_deviation);
  void (*layer_norm_vjp)(MatrixView<const T> x, const T* gain, const T* mean,
                         const T* inverse_deviation, MatrixView<const T> dy,
                         const LayerNormGradients<T>& gradients);
  void (*softmax)(MatrixView<const T> x, MatrixView<T> out);
  void (*softmax_vjp)(MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dx,
                      bool accumulate);
};

}  // namespace asap::tensor
