#include "tensor/kernels/max_pooling.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/max_pooling.cpp"
#include <hwy/foreach_target.h>

#include "tensor/kernels/max_pooling_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void largest(const T* const (&x)[4], T* y, std::int64_t channels) {
  const T *a = x[0], *b = x[1], *c = x[2], *e = x[3];
  for_each_vector<T>(channels, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto left = hn::Max(hn::LoadU(d, a + i), hn::LoadU(d, b + i));
    const auto right = hn::Max(hn::LoadU(d, c + i), hn::LoadU(d, e + i));
    hn::StoreU(hn::Max(left, right), d, y + i);
  });
}

template <class T>
void give_back(const T* const (&x)[4], const T* y, const T* dy, T* const (&dx)[4],
               std::int64_t channels, bool accumulate) {
  const T* const from[4] = {x[0], x[1], x[2], x[3]};
  T* const to[4] = {dx[0], dx[1], dx[2], dx[3]};
  for_each_vector<T>(channels, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto top = hn::LoadU(d, y + i);
    auto left = hn::LoadU(d, dy + i);  // what no pixel has got yet
    for (int k = 0; k < 4; ++k) {
      const auto chosen = hn::Eq(hn::LoadU(d, from[k] + i), top);
      put(d, hn::IfThenElseZero(chosen, left), to[k] + i, accumulate);
      left = hn::IfThenZeroElse(chosen, left);
    }
  });
}

template <class T>
constexpr MaxPoolingKernelSet<T> kKernelSet = {
    .largest = &largest<T>,
    .give_back = &give_back<T>,
};

const MaxPoolingKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const MaxPoolingKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::tensor {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(MaxPoolingKernelSet)

/// Calls body(first of four pixels, pooled pixel), row numbers, for all images.
template <class Body>
void for_each_square(const PoolingShape& shape, std::int64_t images, const Body& body) {
  std::int64_t pooled = 0;
  for (std::int64_t b = 0; b < images; ++b)
    for (std::int64_t y = 0; y + 1 < shape.height; y += 2)
      for (std::int64_t x = 0; x + 1 < shape.width; x += 2, ++pooled)
        body(b * shape.pixels() + y * shape.width + x, pooled);
}

std::int64_t images_of(const PoolingShape& shape, std::int64_t rows, std::int64_t pooled_rows) {
  base::check(shape.pooled_pixels() > 0, "max_pool: images are smaller than 2 x 2");
  const std::int64_t images = rows / shape.pixels();
  base::check(images * shape.pixels() == rows && images * shape.pooled_pixels() == pooled_rows,
              "max_pool: shapes do not fit");
  return images;
}

/// Pixels that no square covers get no gradient.
template <class T>
void clear_odd_edges(const PoolingShape& shape, std::int64_t images, MatrixView<T> dx) {
  const std::int64_t last_row = shape.height / 2 * 2, last_column = shape.width / 2 * 2;
  for (std::int64_t b = 0; b < images; ++b)
    for (std::int64_t y = 0; y < shape.height; ++y)
      for (std::int64_t x = y < last_row ? last_column : 0; x < shape.width; ++x)
        std::ranges::fill(dx.row(b * shape.pixels() + y * shape.width + x), T(0));
}

}  // namespace

template <class T>
void max_pool(const PoolingShape& shape, MatrixView<const T> x, MatrixView<T> y) {
  const std::int64_t images = images_of(shape, x.rows, y.rows), below = shape.width;
  for_each_square(shape, images, [&](std::int64_t row, std::int64_t pooled) {
    kernels<T>().largest({&x(row, 0), &x(row + 1, 0), &x(row + below, 0), &x(row + below + 1, 0)},
                         &y(pooled, 0), x.cols);
  });
}

template <class T>
void max_pool_vjp(const PoolingShape& shape, MatrixView<const T> x, MatrixView<const T> y,
                  MatrixView<const T> dy, MatrixView<T> dx, bool accumulate) {
  const std::int64_t images = images_of(shape, x.rows, y.rows), below = shape.width;
  for_each_square(shape, images, [&](std::int64_t row, std::int64_t pooled) {
    kernels<T>().give_back(
        {&x(row, 0), &x(row + 1, 0), &x(row + below, 0), &x(row + below + 1, 0)}, &y(pooled, 0),
        &dy(pooled, 0),
        {&dx(row, 0), &dx(row + 1, 0), &dx(row + below, 0), &dx(row + below + 1, 0)}, x.cols,
        accumulate);
  });
  if (!accumulate) clear_odd_edges(shape, images, dx);
}

#define ASAP_INSTANTIATE(T)                                                                    \
  template void max_pool<T>(const PoolingShape&, MatrixView<const T>, MatrixView<T>);          \
  template void max_pool_vjp<T>(const PoolingShape&, MatrixView<const T>, MatrixView<const T>, \
                                MatrixView<const T>, MatrixView<T>, bool);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::tensor
#endif  // HWY_ONCE
