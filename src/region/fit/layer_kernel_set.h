#pragma once

#include "tensor/core/view.h"

namespace asap::region {

/// The layer kernels of one instruction set; layer_kernels.h says what each computes.
struct LayerKernelSet {
  using ConstMatrix = tensor::MatrixView<const double>;
  using Matrix = tensor::MatrixView<double>;

  void (*relu_layer)(const ConstMatrix& w, const ConstMatrix& h, double tau, const Matrix& out,
                     const Matrix& slope);
  void (*linear_output)(const double* w, const ConstMatrix& h, double* out);
  void (*relu_layer_vjp)(const ConstMatrix& w, const ConstMatrix& delta, const ConstMatrix& slope,
                         const Matrix& delta_h);
  void (*layer_jacobian)(const ConstMatrix& delta, const ConstMatrix& h, const Matrix& out);
  void (*layer_gradient)(const ConstMatrix& delta, const ConstMatrix& h, double* out);
};

}  // namespace asap::region
