#pragma once

#include "attention/transport/sliced_rows.h"

namespace asap::attention {

/// out_i = sum_j A_ij x_j, vectorised for the processor at run time; the sum of a row is made in
/// the order of its entries. x: [columns], out: [rows]. InternalError when shapes do not fit.
template <class T>
void sparse_row_sums(const SlicedRows<T>& matrix, tensor::VectorView<const T> x,
                     tensor::VectorView<T> out);

/// out_k = masses_k / sums_k, 0 where the mass is 0. `out` may be `sums`.
template <class T>
void scale_to_masses(tensor::VectorView<const T> masses, tensor::VectorView<const T> sums,
                     tensor::VectorView<T> out);

/// sum_k |v_k sums_k / masses_k - 1| over masses that are not 0.
template <class T>
T total_mass_error(tensor::VectorView<const T> masses, tensor::VectorView<const T> sums,
                   tensor::VectorView<const T> v);

/// How many values more than it keeps keep_larger() may write behind them.
inline constexpr std::int64_t kKeptSlack = 64;

/// The columns j with scores_j + g_j > least, ascending, and their scores_j + f + g_j; NaN is never
/// kept. Returns how many. scores: [M], g: [M] at least, columns, exponents: [M + kKeptSlack] at
/// least.
template <class T>
std::int64_t keep_larger(tensor::VectorView<const T> scores, tensor::VectorView<const T> g, T f,
                         T least, tensor::VectorView<std::int32_t> columns,
                         tensor::VectorView<T> exponents);

}  // namespace asap::attention
