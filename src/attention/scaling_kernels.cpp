#include "attention/scaling_kernels.h"

#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/scaling_kernels.cpp"
#include <hwy/foreach_target.h>

#include "attention/scaling_kernels_table.h"
#include "tensor/dispatch.h"
#include "tensor/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap {
namespace HWY_NAMESPACE {
namespace {

template <class T>
using Extent = typename ScalingKernelsTable<T>::Extent;

template <class T>
void fill(T* out, std::int64_t begin, std::int64_t end, T value) {
  for (std::int64_t j = begin; j < end; ++j) out[j] = value;
}

template <class T>
void score_shifts(Extent<T> e, T* scores, T* row_shift, T* column_shift) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T lowest = std::numeric_limits<T>::lowest() / 4;  // stays finite when shifts are added
  fill(column_shift, 0, e.stride, lowest);
  for (std::int64_t i = 0; i < e.rows; ++i) {
    T* row = scores + i * e.stride;
    fill(row, e.columns, e.stride, lowest);
    auto best = hn::Set(d, lowest);
    for (std::int64_t j = 0; j < e.stride; j += lanes) best = hn::Max(best, hn::Load(d, row + j));
    const auto top = hn::MaxOfLanes(d, best);
    row_shift[i] = -hn::GetLane(top);
    for (std::int64_t j = 0; j < e.stride; j += lanes) {
      const auto shifted = hn::Sub(hn::Load(d, row + j), top);
      hn::Store(hn::Max(hn::Load(d, column_shift + j), shifted), d, column_shift + j);
    }
  }
  for (std::int64_t j = 0; j < e.columns; ++j) column_shift[j] = -column_shift[j];
  fill(column_shift, e.columns, e.stride, T(0));
}

template <class T>
HWY_INLINE void add_scaled_row(T factor, const T* row, T* column_sum, std::int64_t stride) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto f = hn::Set(d, factor);
  for (std::int64_t j = 0; j < stride; j += lanes)
    hn::Store(hn::MulAdd(f, hn::Load(d, row + j), hn::Load(d, column_sum + j)), d, column_sum + j);
}

/// Four rows at once: one load and store of the column sums serves four products.
template <class T>
HWY_INLINE void add_four_scaled_rows(const T* factor, const T* rows, T* column_sum,
                                     std::int64_t stride) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto f0 = hn::Set(d, factor[0]);
  const auto f1 = hn::Set(d, factor[1]);
  const auto f2 = hn::Set(d, factor[2]);
  const auto f3 = hn::Set(d, factor[3]);
  for (std::int64_t j = 0; j < stride; j += lanes) {
    const T* column = rows + j;
    auto low = hn::MulAdd(f0, hn::Load(d, column), hn::Load(d, column_sum + j));
    auto high = hn::Mul(f1, hn::Load(d, column + stride));
    low = hn::MulAdd(f2, hn::Load(d, column + 2 * stride), low);
    high = hn::MulAdd(f3, hn::Load(d, column + 3 * stride), high);
    hn::Store(hn::Add(low, high), d, column_sum + j);
  }
}

template <class T>
HWY_INLINE T row_dot(const T* row, const T* x, std::int64_t stride) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto total = hn::Zero(d);
  for (std::int64_t j = 0; j < stride; j += lanes)
    total = hn::MulAdd(hn::Load(d, row + j), hn::Load(d, x + j), total);
  return hn::GetLane(hn::SumOfLanes(d, total));
}

/// The dot products of four rows with x: the loads of x are shared and the sums are independent chains.
template <class T>
HWY_INLINE void four_row_dots(const T* rows, const T* x, std::int64_t stride, T* out) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto s0 = hn::Zero(d);
  auto s1 = hn::Zero(d);
  auto s2 = hn::Zero(d);
  auto s3 = hn::Zero(d);
  for (std::int64_t j = 0; j < stride; j += lanes) {
    const auto v = hn::Load(d, x + j);
    const T* column = rows + j;
    s0 = hn::MulAdd(hn::Load(d, column), v, s0);
    s1 = hn::MulAdd(hn::Load(d, column + stride), v, s1);
    s2 = hn::MulAdd(hn::Load(d, column + 2 * stride), v, s2);
    s3 = hn::MulAdd(hn::Load(d, column + 3 * stride), v, s3);
  }
  out[0] = hn::GetLane(hn::SumOfLanes(d, s0));
  out[1] = hn::GetLane(hn::SumOfLanes(d, s1));
  out[2] = hn::GetLane(hn::SumOfLanes(d, s2));
  out[3] = hn::GetLane(hn::SumOfLanes(d, s3));
}

/// y_i = update(i, K_i . x) and column_sum = Kᵀ y in one pass over K.
template <class T, class Update>
HWY_INLINE void sweep(Extent<T> e, const T* kernel, const T* x, T* y, T* column_sum,
                      const Update& update) {
  fill(column_sum, 0, e.stride, T(0));
  std::int64_t i = 0;
  for (; i + 4 <= e.rows; i += 4) {
    T dots[4];
    four_row_dots(kernel + i * e.stride, x, e.stride, dots);
    for (int r = 0; r < 4; ++r) y[i + r] = update(i + r, dots[r]);
    add_four_scaled_rows(y + i, kernel + i * e.stride, column_sum, e.stride);
  }
  for (; i < e.rows; ++i) {
    y[i] = update(i, row_dot(kernel + i * e.stride, x, e.stride));
    add_scaled_row(y[i], kernel + i * e.stride, column_sum, e.stride);
  }
}

template <class T>
void exponentiate_and_scale(Extent<T> e, T* scores, const T* row_shift, const T* column_shift,
                            const T* v, T* u, T* column_sum) {
  const hn::ScalableTag<T> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  fill(column_sum, 0, e.stride, T(0));
  for (std::int64_t i = 0; i < e.rows; ++i) {
    T* row = scores + i * e.stride;
    const auto shift = hn::Set(d, row_shift[i]);
    auto total = hn::Zero(d);
    for (std::int64_t j = 0; j < e.stride; j += lanes) {
      const auto exponent =
          hn::Add(hn::Add(hn::Load(d, row + j), shift), hn::Load(d, column_shift + j));
      const auto k = exp_fast(d, exponent);
      hn::Store(k, d, row + j);
      total = hn::MulAdd(k, hn::Load(d, v + j), total);
    }
    u[i] = T(1) / hn::GetLane(hn::SumOfLanes(d, total));
    add_scaled_row(u[i], row, column_sum, e.stride);
  }
}

template <class T>
void scaling_sweep(Extent<T> e, const T* kernel, const T* v, T* u, T* column_sum) {
  sweep<T>(e, kernel, v, u, column_sum, [](std::int64_t, T total) HWY_ATTR { return T(1) / total; });
}

template <class T>
void adjoint_sweep(Extent<T> e, const T* kernel, const T* x, const T* factor, T* w, T* column_sum) {
  sweep<T>(e, kernel, x, w, column_sum,
           [=](std::int64_t i, T total) HWY_ATTR { return factor[i] * total; });
}

template <class T>
void weighted_column_sum(Extent<T> e, const T* kernel, const T* w, T* column_sum) {
  fill(column_sum, 0, e.stride, T(0));
  std::int64_t i = 0;
  for (; i + 4 <= e.rows; i += 4)
    add_four_scaled_rows(w + i, kernel + i * e.stride, column_sum, e.stride);
  for (; i < e.rows; ++i) add_scaled_row(w[i], kernel + i * e.stride, column_sum, e.stride);
}

template <class T>
constexpr ScalingKernelsTable<T> table = {&score_shifts<T>, &exponentiate_and_scale<T>,
                                          &scaling_sweep<T>, &adjoint_sweep<T>,
                                          &weighted_column_sum<T>};

}  // namespace

const ScalingKernelsTable<float>* scaling_kernels_float() { return &table<float>; }
const ScalingKernelsTable<double>* scaling_kernels_double() { return &table<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace asap
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap {
namespace {

ASAP_DEFINE_KERNELS(ScalingKernelsTable, scaling_kernels)

template <class T, class U>
typename ScalingKernelsTable<T>::Extent extent(const MatrixView<U>& m) {
  check(m.stride == padded_columns<T>(m.cols), "scaling kernels: rows are not padded");
  return {m.rows, m.cols, m.stride};
}

}  // namespace

template <class T>
void score_shifts(MatrixView<T> scores, VectorView<T> row_shift, VectorView<T> column_shift) {
  kernels<T>().score_shifts(extent<T>(scores), scores.data, row_shift.data(), column_shift.data());
}

template <class T>
void exponentiate_and_scale(MatrixView<T> scores, VectorView<const T> row_shift,
                            VectorView<const T> column_shift, VectorView<const T> v,
                            VectorView<T> u, VectorView<T> column_sum) {
  kernels<T>().exponentiate_and_scale(extent<T>(scores), scores.data, row_shift.data(),
                                      column_shift.data(), v.data(), u.data(), column_sum.data());
}

template <class T>
void scaling_sweep(MatrixView<const T> kernel, VectorView<const T> v, VectorView<T> u,
                   VectorView<T> column_sum) {
  kernels<T>().scaling_sweep(extent<T>(kernel), kernel.data, v.data(), u.data(),
                             column_sum.data());
}

template <class T>
void adjoint_sweep(MatrixView<const T> kernel, VectorView<const T> x, VectorView<const T> factor,
                   VectorView<T> w, VectorView<T> column_sum) {
  kernels<T>().adjoint_sweep(extent<T>(kernel), kernel.data, x.data(), factor.data(), w.data(),
                             column_sum.data());
}

template <class T>
void weighted_column_sum(MatrixView<const T> kernel, VectorView<const T> w,
                         VectorView<T> column_sum) {
  kernels<T>().weighted_column_sum(extent<T>(kernel), kernel.data, w.data(), column_sum.data());
}

#define ASAP_INSTANTIATE(T)                                                                       \
  template void score_shifts<T>(MatrixView<T>, VectorView<T>, VectorView<T>);                     \
  template void exponentiate_and_scale<T>(MatrixView<T>, VectorView<const T>,                     \
                                          VectorView<const T>, VectorView<const T>,               \
                                          VectorView<T>, VectorView<T>);                          \
  template void scaling_sweep<T>(MatrixView<const T>, VectorView<const T>, VectorView<T>,         \
                                 VectorView<T>);                                                  \
  template void adjoint_sweep<T>(MatrixView<const T>, VectorView<const T>, VectorView<const T>,   \
                                 VectorView<T>, VectorView<T>);                                   \
  template void weighted_column_sum<T>(MatrixView<const T>, VectorView<const T>, VectorView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap
#endif  // HWY_ONCE
