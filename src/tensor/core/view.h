#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "tensor/core/shape.h"

namespace asap::tensor {

/// Contiguous vector that somebody else owns.
template <class T>
using VectorView = std::span<T>;

/// Row-major matrix that somebody else owns; rows may lie apart (`stride` >= `cols`), so that one
/// head of packed [tokens, 3 * width] projections is a view and needs no copy.
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;

  MatrixView() = default;
  MatrixView(T* data, std::int64_t rows, std::int64_t cols) : MatrixView(data, rows, cols, cols) {}
  MatrixView(T* data, std::int64_t rows, std::int64_t cols, std::int64_t stride)
      : data(data), rows(rows), cols(cols), stride(stride) {}
  operator MatrixView<const T>() const requires(!std::is_const_v<T>) {
    return {data, rows, cols, stride};
  }

  T& operator()(std::int64_t row, std::int64_t col) const {
    // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.UndefReturn): only a view of nothing is null
    return data[row * stride + col];
  }
  VectorView<T> row(std::int64_t index) const {
    return {data + index * stride, static_cast<std::size_t>(cols)};
  }
  MatrixView block(std::int64_t row, std::int64_t col, std::int64_t rows_,
                   std::int64_t cols_) const {
    return {data == nullptr ? nullptr : data + row * stride + col, rows_, cols_, stride};
  }
  bool contiguous() const { return stride == cols; }
};

/// Contiguous row-major tensor that somebody else owns.
template <class T>
struct TensorView {
  T* data = nullptr;
  Shape shape;

  TensorView() = default;
  TensorView(T* data, const Shape& shape) : data(data), shape(shape) {}
  operator TensorView<const T>() const requires(!std::is_const_v<T>) { return {data, shape}; }

  std::int64_t size() const { return shape.size(); }
  VectorView<T> flat() const { return {data, static_cast<std::size_t>(size())}; }
  /// The last dimension as columns, all others folded into rows.
  MatrixView<T> rows() const {
    const std::int64_t cols = shape.rank() == 0 ? 1 : shape[-1];
    return {data, cols == 0 ? 0 : size() / cols, cols};
  }
};

}  // namespace asap::tensor
