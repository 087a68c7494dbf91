#pragma once

#include "autodiff/tape.h"
#include "tensor/kernels/gemm.h"

namespace asap::autodiff {

/// op(a) op(b) over the last two dimensions. Leading dimensions must be equal and are a batch:
/// a: [..., m, k], b: [..., k, n] -> [..., m, n] (either may be transposed). InternalError when
/// shapes do not fit.
template <class T>
Var<T> matmul(Var<T> a, Var<T> b, tensor::Transpose transpose_a = tensor::Transpose::no,
              tensor::Transpose transpose_b = tensor::Transpose::no);

/// x Wᵀ + bias. x: [..., in], weight: [out, in], bias: [out] -> [..., out]. `precision` is that of
/// this product and of the two of its gradient; for T = float alone.
template <class T>
Var<T> linear(Var<T> x, Var<T> weight, Var<T> bias,
              tensor::ProductPrecision precision = tensor::ProductPrecision::single);

}  // namespace asap::autodiff
