#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// The kernels of batch_normalisation.cpp for one instruction set. z = scale x + shift.
template <class T>
struct BatchNormalisationKernelSet {
  /// out = Σ (x - centre)², column by column.
  void (*square_sums)(MatrixView<const T> x, const T* centre, T* out);
  void (*apply)(MatrixView<const T> x, const T* scale, const T* shift, bool relu, MatrixView<T> y);
  /// Σ dz and Σ dz (x - centre) with dz = dy, or zero where relu and z <= 0.
  void (*gradient_sums)(MatrixView<const T> x, MatrixView<const T> dy, const T* scale,
                        const T* shift, bool relu, const T* centre, T* sums, T* moments);
  /// dx = scale dz + slope x + constant, or +=.
  void (*input_gradient)(MatrixView<const T> x, MatrixView<const T> dy, const T* scale,
                         const T* shift, bool relu, const T* slope, const T* constant,
                         MatrixView<T> dx, bool accumulate);
};

}  // namespace asap::tensor
