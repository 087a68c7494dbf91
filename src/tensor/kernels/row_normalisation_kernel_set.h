#pragma once

#include "tensor/kernels/row_ops.h"

namespace asap::tensor {

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
