#pragma once

#include "tensor/view.h"

namespace asap {

/// Whether an operand of gemm is used as it lies or transposed.
enum class Transpose { no, yes };

/// C = alpha * op(A) * op(B) + beta * C with op(A): [m, k], op(B): [k, n], C: [m, n]. Single-threaded:
/// parallelism belongs to the caller, who has whole examples to split. The order of every sum is fixed by
/// the shapes and the processor, never by the number of threads. beta = 0 does not read C.
///
/// InternalError when shapes do not fit. T is float or double.
template <class T>
void gemm(Transpose transpose_a, Transpose transpose_b, T alpha, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> c);

}  // namespace asap
