#pragma once

#include "tensor/core/product_precision.h"
#include "tensor/core/view.h"

namespace asap::tensor {

/// Whether an operand of gemm is used as stored or transposed.
enum class Transpose { no, yes };

/// C = alpha * op(A) * op(B) + beta * C with op(A): [m, k], op(B): [k, n], C: [m, n]. beta = 0 does
/// not read C. C must not overlap A or B.
///
/// Made for the shapes of attention and small Transformers (tens to thousands of rows, inner widths
/// of 16 to 512), where general libraries lose much of their time to packing. Single-threaded:
/// parallelism belongs to the caller, who has whole examples to split. Every element is summed in
/// the order of k, so a row of C does not depend on which other rows are computed with it.
///
/// InternalError when shapes do not fit. T is float or double.
template <class T>
void gemm(Transpose transpose_a, Transpose transpose_b, T alpha, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> c,
          ProductPrecision precision = ProductPrecision::single);

/// y = x Wᵀ + b + beta * y, a linear layer. x: [m, k], weight: [n, k], k > 0, bias: [n], y: [m, n].
/// The bias costs nothing: it is added while the sums are still in registers. InternalError when
/// shapes do not fit.
template <class T>
void affine(MatrixView<const T> x, MatrixView<const T> weight, VectorView<const T> bias, T beta,
            MatrixView<T> y, ProductPrecision precision = ProductPrecision::single);

}  // namespace asap::tensor
