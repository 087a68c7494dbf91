#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// Images of one row per pixel that are halved in height and width. An odd last row or column is
/// left out.
struct PoolingShape {
  std::int64_t height = 0, width = 0;  ///< before
  std::int64_t pixels() const { return height * width; }
  std::int64_t pooled_pixels() const { return (height / 2) * (width / 2); }
};

/// The largest of 2 x 2 pixels, channel by channel. x: [B * pixels, C], y: [B * pooled_pixels, C].
template <class T>
void max_pool(const PoolingShape& shape, MatrixView<const T> x, MatrixView<T> y);

/// Its vector-Jacobian product: dy goes to the first, row by row, of the pixels that are as large
/// as y; the others get zero, or nothing if `accumulate`. x, y: as above; dy: as y; dx: as x.
template <class T>
void max_pool_vjp(const PoolingShape& shape, MatrixView<const T> x, MatrixView<const T> y,
                  MatrixView<const T> dy, MatrixView<T> dx, bool accumulate);

}  // namespace asap::tensor
