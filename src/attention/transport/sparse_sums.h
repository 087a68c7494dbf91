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

}  // namespace asap::attention
