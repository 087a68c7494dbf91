#pragma once

#include "attention/stored/scaling_kernels.h"

namespace asap::attention {

/// The column half of a Sinkhorn iteration, its adjoint and its error, on vectors over the columns
/// of a stored Gibbs kernel: padded as in scaling_kernels.h, padding included where a vector is
/// written. `columns` is the number m of live ones, b = n / m the mass of each.

/// v_j = b / column_sum_j; the padding becomes zero.
template <class T>
void update_columns(std::int64_t columns, T b, tensor::VectorView<const T> column_sum,
                    tensor::VectorView<T> v);

/// w_j = -(pulled_j + extra_j) v_j^2 / b, the adjoint of v = b / column_sum; `extra` may be empty.
template <class T>
void adjoint_columns(T b, tensor::VectorView<const T> pulled, tensor::VectorView<const T> extra,
                     tensor::VectorView<const T> v, tensor::VectorView<T> w);

/// mean_j |v_j column_sum_j / b - 1|: how far the columns are from their marginal b.
template <class T>
T column_error(std::int64_t columns, T b, tensor::VectorView<const T> column_sum,
               tensor::VectorView<const T> v);

/// The slack row of a stored Gibbs kernel (see sinkhorn_attention.h) and its scaling s: entries e_j
/// [padded m], padding zero.
template <class T>
struct SlackRow {
  tensor::VectorView<const T> entries;
  T scaling = T(0);
};

/// v_j = b / (column_sum_j + s e_j) with b = (1 + c) n / m; the padding becomes zero. Returns
/// sum_j e_j v_j.
template <class T>
T update_columns_with_slack(std::int64_t columns, T b, const SlackRow<T>& row,
                            tensor::VectorView<const T> column_sum, tensor::VectorView<T> v);

/// w_j = -(pulled_j + extra_j + p e_j) v_j^2 / b, the adjoint of that update, where p is the
/// adjoint weight of the slack row, in row.scaling; `extra` may be empty.
/// Returns sum_j (pulled_j + extra_j + p e_j) v_j.
template <class T>
T adjoint_columns_with_slack(T b, const SlackRow<T>& row, tensor::VectorView<const T> pulled,
                             tensor::VectorView<const T> extra, tensor::VectorView<const T> v,
                             tensor::VectorView<T> w);

}  // namespace asap::attention
