#pragma once

#include "tensor/core/view.h"

namespace asap::transport {

/// Entropic c-transforms: the best dual of one side for a given dual of the other, in the log
/// domain. For the plan A_ij = exp(S_ij + f_i + g_j) one of them makes every row sum to 1, the
/// other every column to N / M. One Sinkhorn iteration is one column and one row transform. Both
/// are safe against overflow. InternalError when shapes do not fit.

/// g_j = log(N / M) - log sum_i exp(S_ij + f_i). scores: [N, M], row_dual: [N], column_dual: [M].
template <class T>
void column_c_transform(tensor::MatrixView<const T> scores, tensor::VectorView<const T> row_dual,
                        tensor::VectorView<T> column_dual);

/// f_i = -log sum_j exp(S_ij + g_j). scores: [N, M], column_dual: [M], row_dual: [N].
template <class T>
void row_c_transform(tensor::MatrixView<const T> scores, tensor::VectorView<const T> column_dual,
                     tensor::VectorView<T> row_dual);

}  // namespace asap::transport
