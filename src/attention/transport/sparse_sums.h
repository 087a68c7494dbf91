#pragma once

#include <vector>

#include "tensor/core/view.h"

namespace asap::attention {

/// A matrix of few entries, row by row; of its transpose: column by column. T is float or double.
template <class T>
struct CompressedRows {
  std::vector<std::int64_t> starts;   ///< [rows + 1] where the entries of each row begin
  std::vector<std::int32_t> columns;  ///< of each entry, ascending within a row
  std::vector<T> entries;

  std::int64_t rows() const { return std::ssize(starts) - 1; }
};

/// out_i = sum_j A_ij x_j, vectorised for the processor at run time. x: [columns], out: [rows].
/// InternalError when shapes do not fit.
template <class T>
void sparse_row_sums(const CompressedRows<T>& matrix, tensor::VectorView<const T> x,
                     tensor::VectorView<T> out);

/// Memory for one row of kept entries: its vectors may be longer than what was kept.
template <class T>
struct KeptRow {
  std::vector<std::int32_t> columns;
  std::vector<T> exponents;
  std::int64_t count = 0;

  explicit KeptRow(std::int64_t columns_of_row);
};

/// The columns j with scores_j + g_j > least, ascending, and their scores_j + f + g_j; NaN is never
/// kept. scores: [M], g: [M] at least, kept: made for M.
template <class T>
void keep_larger(tensor::VectorView<const T> scores, tensor::VectorView<const T> g, T f, T least,
                 KeptRow<T>& kept);

}  // namespace asap::attention
