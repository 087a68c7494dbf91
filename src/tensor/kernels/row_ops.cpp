#include "tensor/kernels/row_ops.h"

#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/row_ops.cpp"
#include <hwy/foreach_target.h>

#include "tensor/kernels/row_blocks-inl.h"
#include "tensor/kernels/row_ops_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void add_bias(MatrixView<T> x, const T* bias) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    T* row = x.data + i * x.stride;
    for_each_vector<T>(x.cols, [=](auto d, std::int64_t j)
                                   HWY_ATTR { put(d, hn::LoadU(d, bias + j), row + j, true); });
  }
}

/// Sums of Vectors vectors of columns, `live` lanes of the last; the sums stay in registers.
template <int Vectors, class T>
HWY_INLINE void column_panel_sums(const T* x, std::int64_t stride, std::int64_t rows,
                                  std::int64_t live, T* out, bool accumulate) {
  const hn::ScalableTag<T> d;
  Vector<T> sum[Vectors];
  for (int v = 0; v < Vectors; ++v) sum[v] = hn::Zero(d);
  for (std::int64_t i = 0; i < rows; ++i, x += stride) {
    for (int v = 0; v + 1 < Vectors; ++v)
      sum[v] = hn::Add(sum[v], hn::LoadU(d, x + v * lanes<T>()));
    constexpr int kLast = Vectors - 1;
    sum[kLast] = hn::Add(sum[kLast], load_part(d, live, x + kLast * lanes<T>()));
  }
  for (int v = 0; v < Vectors; ++v) {
    const std::int64_t count = v + 1 == Vectors ? live : lanes<T>();
    T* to = out + v * lanes<T>();
    store_part(d, count, accumulate ? hn::Add(load_part(d, count, to), sum[v]) : sum[v], to);
  }
}

template <class T>
void column_sums(MatrixView<const T> x, T* out, bool accumulate) {
  constexpr std::int64_t kPanel = 4 * lanes<T>();
  std::int64_t first = 0;
  for (; first + kPanel <= x.cols; first += kPanel)
    column_panel_sums<4>(x.data + first, x.stride, x.rows, lanes<T>(), out + first, accumulate);
  for (; first + 2 * lanes<T>() <= x.cols; first += 2 * lanes<T>())
    column_panel_sums<2>(x.data + first, x.stride, x.rows, lanes<T>(), out + first, accumulate);
  for (; first < x.cols; first += lanes<T>())
    column_panel_sums<1>(x.data + first, x.stride, x.rows, HWY_MIN(lanes<T>(), x.cols - first),
                         out + first, accumulate);
}

template <class T>
T row_maximum(const T* x, std::int64_t count) {
  return max_vectors<T>(count,
                        [=](auto d, std::int64_t i) HWY_ATTR { return hn::LoadU(d, x + i); });
}

template <class T>
T log_sum_exp(const T* x, std::int64_t count) {
  const T shift = row_maximum(x, count);
  if (!(shift > -std::numeric_limits<T>::infinity())) return shift;
  const T total = sum_vectors<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    return exp_fast(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, shift)));
  });
  return shift + std::log(total);
}

template <class T>
void scale_rows(MatrixView<const T> x, const T* factors, MatrixView<T> out) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const T* from = x.data + i * x.stride;
    T* to = out.data + i * out.stride;
    const T factor = factors[i];
    for_each_vector<T>(x.cols, [=](auto d, std::int64_t j) HWY_ATTR {
      hn::StoreU(hn::Mul(hn::LoadU(d, from + j), hn::Set(d, factor)), d, to + j);
    });
  }
}

/// dots = <a, b> row by row and, if Scale, out = factors * a.
template <bool Scale, class T>
void row_products(MatrixView<const T> a, MatrixView<const T> b, const T* factors, MatrixView<T> out,
                  T* dots) {
  const hn::ScalableTag<T> d;
  for_each_block<T>(a.rows, [=](std::int64_t first, std::int64_t count) HWY_ATTR {
    const T* left = a.data + first * a.stride;
    const T* right = b.data + first * b.stride;
    const T* factor = factors + first;
    T* to = out.data + first * out.stride;
    const std::int64_t a_stride = a.stride, b_stride = b.stride, out_stride = out.stride;
    const auto product = [=](std::int64_t r, std::int64_t j, std::int64_t live) HWY_ATTR {
      const Vector<T> value = load_part(d, live, left + r * a_stride + j);
      const Vector<T> other = load_part(d, live, right + r * b_stride + j);
      if constexpr (Scale)
        store_part(d, live, hn::Mul(value, hn::Set(d, factor[r])), to + r * out_stride + j);
      return hn::Mul(value, other);
    };
    store_first(d, count, block_sums<T>(count, a.cols, product), dots + first);
  });
}

template <class T>
void row_dots(MatrixView<const T> a, MatrixView<const T> b, T* dots) {
  row_products<false>(a, b, dots, MatrixView<T>(dots, 0, 0), dots);
}

template <class T>
void scale_rows_with_dots(MatrixView<const T> a, const T* factors, MatrixView<const T> b,
                          MatrixView<T> out, T* dots) {
  row_products<true>(a, b, factors, out, dots);
}

template <class T>
constexpr RowOpsKernelSet<T> kKernelSet = {
    .add_bias = &add_bias<T>,
    .column_sums = &column_sums<T>,
    .log_sum_exp = &log_sum_exp<T>,
    .scale_rows = &scale_rows<T>,
    .row_dots = &row_dots<T>,
    .scale_rows_with_dots = &scale_rows_with_dots<T>,
};

const RowOpsKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const RowOpsKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::tensor {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(RowOpsKernelSet)

}  // namespace

template <class T>
void add_bias_rows(MatrixView<T> x, VectorView<const T> bias) {
  kernels<T>().add_bias(x, bias.data());
}

template <class T>
void column_sums(MatrixView<const T> x, VectorView<T> out, bool accumulate) {
  kernels<T>().column_sums(x, out.data(), accumulate);
}

template <class T>
void log_sum_exp_rows(MatrixView<const T> x, VectorView<T> out) {
  for (std::int64_t i = 0; i < x.rows; ++i)
    out[i] = kernels<T>().log_sum_exp(x.row(i).data(), x.cols);
}

template <class T>
void scale_rows(MatrixView<const T> x, VectorView<const T> factors, MatrixView<T> out) {
  kernels<T>().scale_rows(x, factors.data(), out);
}

template <class T>
void row_dots(MatrixView<const T> a, MatrixView<const T> b, VectorView<T> out) {
  kernels<T>().row_dots(a, b, out.data());
}

template <class T>
void scale_rows_with_dots(MatrixView<const T> a, VectorView<const T> factors, MatrixView<const T> b,
                          MatrixView<T> out, VectorView<T> dots) {
  kernels<T>().scale_rows_with_dots(a, factors.data(), b, out, dots.data());
}

#define ASAP_INSTANTIATE(T)                                                             \
  template void add_bias_rows<T>(MatrixView<T>, VectorView<const T>);                   \
  template void column_sums<T>(MatrixView<const T>, VectorView<T>, bool);               \
  template void log_sum_exp_rows<T>(MatrixView<const T>, VectorView<T>);                \
  template void scale_rows<T>(MatrixView<const T>, VectorView<const T>, MatrixView<T>); \
  template void row_dots<T>(MatrixView<const T>, MatrixView<const T>, VectorView<T>);   \
  template void scale_rows_with_dots<T>(MatrixView<const T>, VectorView<const T>,       \
                                        MatrixView<const T>, MatrixView<T>, VectorView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::tensor
#endif  // HWY_ONCE
