#pragma once

#include "tensor/row_ops.h"

namespace asap {

/// Addresses of the row kernels of one instruction set; see row_ops.h for what each does.
template <class T>
struct RowOpsTable {
  void (*add_bias)(T* x, const T* bias, std::int64_t count);
  void (*add)(const T* x, T* out, std::int64_t count);
  /// Mean and 1 / sqrt(variance + epsilon) of one row, and the normalised, scaled row.
  void (*layer_norm)(const T* x, const T* gain, const T* offset, T* out, std::int64_t count,
                     T* mean, T* inverse_deviation);
  void (*layer_norm_vjp)(const T* x, const T* gain, const T* dy, T mean, T inverse_deviation,
                         T* dx, bool accumulate, std::int64_t count);
  void (*layer_norm_weights_vjp)(const T* x, const T* dy, T mean, T inverse_deviation, T* dgain,
                                 T* doffset, std::int64_t count);
  void (*softmax)(const T* x, T* out, std::int64_t count);
  void (*softmax_vjp)(const T* y, const T* dy, T* dx, bool accumulate, std::int64_t count);
  T (*log_sum_exp)(const T* x, std::int64_t count);
  void (*scale_rows)(MatrixView<const T> x, const T* factors, MatrixView<T> out);
  void (*row_dots)(MatrixView<const T> a, MatrixView<const T> b, T* out);
};

}  // namespace asap
