#pragma once

#include "tensor/core/view.h"

namespace asap::attention {

/// A matrix of few entries, row by row; of its transpose: column by column. T is float or double.
template <class T>
struct CompressedRows {
  tensor::VectorView<const std::int64_t> starts;   ///< [rows + 1] where each row begins
  tensor::VectorView<const std::int32_t> columns;  ///< of each entry, ascending within a row
  tensor::VectorView<const T> entries;

  std::int64_t rows() const { return std::ssize(starts) - 1; }
};

/// out_i = sum_j A_ij x_j, vectorised for the processor at run time. x: [columns], out: [rows].
/// InternalError when shapes do not fit.
template <class T>
void sparse_row_sums(const CompressedRows<T>& matrix, tensor::VectorView<const T> x,
                     tensor::VectorView<T> out);

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
