#pragma once

#include "tensor/core/arena.h"

namespace asap::attention {

/// A matrix of few entries, row by row. T is float or double.
template <class T>
struct CompressedRows {
  tensor::VectorView<const std::int64_t> starts;   ///< [rows + 1] where each row begins
  tensor::VectorView<const std::int32_t> columns;  ///< of each entry, ascending within a row
  tensor::VectorView<const T> entries;

  std::int64_t rows() const { return std::ssize(starts) - 1; }
};

/// Rows of one slice: whole vectors of every instruction set.
inline constexpr std::int64_t kSliceRows = 16;

/// The same matrix, or its transpose, for products with a vector that need no sum over lanes:
/// sliced ELLPACK with sorted rows (Kreutzer et al. 2014, SELL-C-sigma, with sigma all rows). Rows
/// are taken from the longest to the shortest, 16 to a slice, and the k-th entries of a slice's
/// rows lie side by side; shorter rows of a slice are padded with the column 0 and an entry of 0.
template <class T>
struct SlicedRows {
  tensor::VectorView<const std::int32_t> order;    ///< [slices * 16] rows; behind the last one -1
  tensor::VectorView<const std::int32_t> lengths;  ///< [slices * 16] entries of these rows
  tensor::VectorView<const std::int64_t> starts;   ///< [slices] where each slice begins
  tensor::VectorView<const std::int32_t> columns;  ///< of each entry
  tensor::VectorView<const T> entries;
  std::int64_t rows = 0;

  std::int64_t slices() const { return std::ssize(starts); }
};

/// Which lines of a matrix become the rows of slices.
enum class SlicedLines { rows, columns };

/// `columns`: of the matrix, more than any index. Lives in `arena`.
template <class T>
SlicedRows<T> slice(const CompressedRows<T>& matrix, std::int64_t columns, SlicedLines lines,
                    tensor::Arena& arena);

}  // namespace asap::attention
