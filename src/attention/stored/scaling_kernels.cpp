#include "attention/stored/scaling_kernels.h"

#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/stored/scaling_kernels.cpp"
#include <hwy/foreach_target.h>

#include "attention/stored/row_sweeps-inl.h"
#include "attention/stored/scaling_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/partial-inl.h"
#include "tensor/simd/simd-inl.h"
#include "tensor/simd/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

using namespace rows;

template <class T>
using Extent = typename ScalingKernelSet<T>::Extent;

/// Writes `value` to the padding of a row, in whole vectors.
template <class T>
HWY_INLINE void fill_padding(const Extent<T>& e, T* row, T value) {
  const hn::ScalableTag<T> d;
  for (std::int64_t j = e.columns / lanes<T>() * lanes<T>(); j < e.stride; j += lanes<T>()) {
    const std::int64_t live = HWY_MAX(e.columns - j, 0);
    const auto keep = hn::FirstN(d, static_cast<std::size_t>(live));
    hn::Store(hn::IfThenElse(keep, hn::Load(d, row + j), hn::Set(d, value)), d, row + j);
  }
}

/// The largest entry of each of `count` <= lanes rows, as one vector.
template <class T>
HWY_INLINE Vector<T> row_maxima(const T* rows, std::int64_t stride, int count) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  V best[lanes<T>()];
  for (int r = 0; r < lanes<T>(); ++r) best[r] = hn::Zero(d);
  for (int r = 0; r < count; ++r) {
    const T* row = rows + r * stride;
    best[r] = hn::Load(d, row);
    for (std::int64_t j = lanes<T>(); j < stride; j += lanes<T>())
      best[r] = hn::Max(best[r], hn::Load(d, row + j));
  }
  return reduce_rows(d, best, [](V a, V b) HWY_ATTR { return hn::Max(a, b); });
}

template <class T>
void score_shifts(Extent<T> e, T* scores, T* row_shift, T* column_shift) {
  const hn::ScalableTag<T> d;
  const T lowest = std::numeric_limits<T>::lowest() / 4;  // stays finite when shifts are added
  fill(column_shift, 0, e.stride, lowest);
  for (std::int64_t i = 0; i < e.rows; i += lanes<T>()) {
    const int count = static_cast<int>(HWY_MIN(e.rows - i, lanes<T>()));
    T* rows = scores + i * e.stride;
    for (int r = 0; r < count; ++r) fill_padding(e, rows + r * e.stride, lowest);
    const auto shift = hn::Neg(row_maxima(rows, e.stride, count));
    store_first(d, count, shift, row_shift + i);
    for (std::int64_t j = 0; j < e.stride; j += lanes<T>()) {
      auto best = hn::Load(d, column_shift + j);
      for (int r = 0; r < count; ++r)
        best = hn::Max(best,
                       hn::Add(hn::Load(d, rows + r * e.stride + j), hn::Set(d, row_shift[i + r])));
      hn::Store(best, d, column_shift + j);
    }
  }
  for (std::int64_t j = 0; j < e.columns; ++j) column_shift[j] = -column_shift[j];
  fill(column_shift, e.columns, e.stride, T(0));
}

/// K = exp(S + r + c) for one row in place; returns the products with v, not yet summed over the
/// lanes.
template <class T>
HWY_INLINE Vector<T> exponentiate_row(T* row, std::int64_t stride, T row_shift,
                                      const T* column_shift, const T* v) {
  const hn::ScalableTag<T> d;
  const auto shift = hn::Set(d, row_shift);
  auto total = hn::Zero(d);
  for (std::int64_t j = 0; j < stride; j += lanes<T>()) {
    const auto exponent =
        hn::Add(hn::Add(hn::Load(d, row + j), shift), hn::Load(d, column_shift + j));
    const auto k = exp_fast(d, exponent);
    hn::Store(k, d, row + j);
    total = hn::MulAdd(k, hn::Load(d, v + j), total);
  }
  return total;
}

template <class T>
void exponentiate(Extent<T> e, T* scores, const T* row_shift, const T* column_shift) {
  const hn::ScalableTag<T> d;
  for (std::int64_t i = 0; i < e.rows; ++i) {
    T* row = scores + i * e.stride;
    const auto shift = hn::Set(d, row_shift[i]);
    for (std::int64_t j = 0; j < e.stride; j += lanes<T>())
      hn::Store(
          exp_fast(d, hn::Add(hn::Add(hn::Load(d, row + j), shift), hn::Load(d, column_shift + j))),
          d, row + j);
  }
}

template <class T>
void exponentiate_and_scale(Extent<T> e, T* scores, const T* row_shift, const T* column_shift,
                            const T* v, T* u, T* column_sum) {
  const hn::ScalableTag<T> d;
  fill(column_sum, 0, e.stride, T(0));
  std::int64_t i = 0;
  if (rows_are_short<T>(e.stride))
    for (; i + lanes<T>() <= e.rows; i += lanes<T>()) {
      T* rows = scores + i * e.stride;
      hn::Vec<decltype(d)> total[lanes<T>()];
      for (int r = 0; r < lanes<T>(); ++r)
        total[r] =
            exponentiate_row(rows + r * e.stride, e.stride, row_shift[i + r], column_shift, v);
      hn::StoreU(hn::Div(hn::Set(d, T(1)), sums_of_rows(d, total)), d, u + i);
      add_scaled_rows<lanes<T>()>(u + i, rows, column_sum, e.stride);
    }
  for (; i < e.rows; ++i) {
    T* row = scores + i * e.stride;
    const auto total = exponentiate_row(row, e.stride, row_shift[i], column_shift, v);
    u[i] = T(1) / hn::GetLane(hn::SumOfLanes(d, total));
    add_scaled_rows<1>(u + i, row, column_sum, e.stride);
  }
}

template <class T>
void scaling_sweep(Extent<T> e, const T* gibbs, const T* v, T* u, T* column_sum) {
  sweep<T>(e.rows, e.stride, gibbs, v, u, column_sum,
           [](auto d, std::int64_t, auto total)
               HWY_ATTR { return hn::Div(hn::Set(d, T(1)), total); });
}

template <class T>
void weighted_scaling_sweep(Extent<T> e, const T* gibbs, const T* v, const T* weights, T* u,
                            T* column_sum) {
  sweep<T>(e.rows, e.stride, gibbs, v, u, column_sum,
           [=](auto d, std::int64_t i, auto total)
               HWY_ATTR { return hn::Div(hn::LoadU(d, weights + i), total); });
}

template <class T>
void adjoint_sweep(Extent<T> e, const T* gibbs, const T* x, const T* factor, T* w, T* column_sum) {
  sweep<T>(e.rows, e.stride, gibbs, x, w, column_sum,
           [=](auto d, std::int64_t i, auto total)
               HWY_ATTR { return hn::Mul(hn::LoadU(d, factor + i), total); });
}

template <class T>
void weighted_column_sum(Extent<T> e, const T* gibbs, const T* w, T* column_sum) {
  fill(column_sum, 0, e.stride, T(0));
  std::int64_t i = 0;
  for (; i + lanes<T>() <= e.rows; i += lanes<T>())
    add_scaled_rows<lanes<T>()>(w + i, gibbs + i * e.stride, column_sum, e.stride);
  for (; i < e.rows; ++i) add_scaled_rows<1>(w + i, gibbs + i * e.stride, column_sum, e.stride);
}

template <class T>
constexpr ScalingKernelSet<T> kKernelSet = {
    .score_shifts = &score_shifts<T>,
    .exponentiate = &exponentiate<T>,
    .exponentiate_and_scale = &exponentiate_and_scale<T>,
    .scaling_sweep = &scaling_sweep<T>,
    .weighted_scaling_sweep = &weighted_scaling_sweep<T>,
    .adjoint_sweep = &adjoint_sweep<T>,
    .weighted_column_sum = &weighted_column_sum<T>,
};

const ScalingKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const ScalingKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::attention {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(ScalingKernelSet)

template <class T, class U>
typename ScalingKernelSet<T>::Extent extent(const tensor::MatrixView<U>& m) {
  base::check(m.stride == padded_columns<T>(m.cols), "scaling kernels: rows are not padded");
  return {m.rows, m.cols, m.stride};
}

}  // namespace

template <class T>
void score_shifts(tensor::MatrixView<T> scores, tensor::VectorView<T> row_shift,
                  tensor::VectorView<T> column_shift) {
  kernels<T>().score_shifts(extent<T>(scores), scores.data, row_shift.data(), column_shift.data());
}

template <class T>
void exponentiate(tensor::MatrixView<T> scores, tensor::VectorView<const T> row_shift,
                  tensor::VectorView<const T> column_shift) {
  kernels<T>().exponentiate(extent<T>(scores), scores.data, row_shift.data(), column_shift.data());
}

template <class T>
void exponentiate_and_scale(tensor::MatrixView<T> scores, tensor::VectorView<const T> row_shift,
                            tensor::VectorView<const T> column_shift, tensor::VectorView<const T> v,
                            tensor::VectorView<T> u, tensor::VectorView<T> column_sum) {
  kernels<T>().exponentiate_and_scale(extent<T>(scores), scores.data, row_shift.data(),
                                      column_shift.data(), v.data(), u.data(), column_sum.data());
}

template <class T>
void scaling_sweep(tensor::MatrixView<const T> gibbs, tensor::VectorView<const T> v,
                   tensor::VectorView<T> u, tensor::VectorView<T> column_sum) {
  kernels<T>().scaling_sweep(extent<T>(gibbs), gibbs.data, v.data(), u.data(), column_sum.data());
}

template <class T>
void weighted_scaling_sweep(tensor::MatrixView<const T> gibbs, tensor::VectorView<const T> v,
                            tensor::VectorView<const T> weights, tensor::VectorView<T> u,
                            tensor::VectorView<T> column_sum) {
  kernels<T>().weighted_scaling_sweep(extent<T>(gibbs), gibbs.data, v.data(), weights.data(),
                                      u.data(), column_sum.data());
}

template <class T>
void adjoint_sweep(tensor::MatrixView<const T> gibbs, tensor::VectorView<const T> x,
                   tensor::VectorView<const T> factor, tensor::VectorView<T> w,
                   tensor::VectorView<T> column_sum) {
  kernels<T>().adjoint_sweep(extent<T>(gibbs), gibbs.data, x.data(), factor.data(), w.data(),
                             column_sum.data());
}

template <class T>
void weighted_column_sum(tensor::MatrixView<const T> gibbs, tensor::VectorView<const T> w,
                         tensor::VectorView<T> column_sum) {
  kernels<T>().weighted_column_sum(extent<T>(gibbs), gibbs.data, w.data(), column_sum.data());
}

#define ASAP_INSTANTIATE(T)                                                                      \
  template void score_shifts<T>(tensor::MatrixView<T>, tensor::VectorView<T>,                    \
                                tensor::VectorView<T>);                                          \
  template void exponentiate<T>(tensor::MatrixView<T>, tensor::VectorView<const T>,              \
                                tensor::VectorView<const T>);                                    \
  template void exponentiate_and_scale<T>(                                                       \
      tensor::MatrixView<T>, tensor::VectorView<const T>, tensor::VectorView<const T>,           \
      tensor::VectorView<const T>, tensor::VectorView<T>, tensor::VectorView<T>);                \
  template void scaling_sweep<T>(tensor::MatrixView<const T>, tensor::VectorView<const T>,       \
                                 tensor::VectorView<T>, tensor::VectorView<T>);                  \
  template void weighted_scaling_sweep<T>(                                                       \
      tensor::MatrixView<const T>, tensor::VectorView<const T>, tensor::VectorView<const T>,     \
      tensor::VectorView<T>, tensor::VectorView<T>);                                             \
  template void adjoint_sweep<T>(tensor::MatrixView<const T>, tensor::VectorView<const T>,       \
                                 tensor::VectorView<const T>, tensor::VectorView<T>,             \
                                 tensor::VectorView<T>);                                         \
  template void weighted_column_sum<T>(tensor::MatrixView<const T>, tensor::VectorView<const T>, \
                                       tensor::VectorView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
#endif  // HWY_ONCE
