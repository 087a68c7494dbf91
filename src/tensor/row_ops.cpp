#include "tensor/row_ops.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/row_ops.cpp"
#include <hwy/foreach_target.h>

#include "tensor/row_ops_table.h"
#include "tensor/dispatch.h"
#include "tensor/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void add(const T* x, T* out, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    put(d, hn::LoadU(d, x + i), out + i, true);
  });
}

template <class T>
void add_bias(T* x, const T* bias, std::int64_t count) {
  add(bias, x, count);
}

template <class T>
void layer_norm(const T* x, const T* gain, const T* offset, T* out, std::int64_t count, T* mean_out,
                T* inverse_deviation_out) {
  const T mean = sum_vectors<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
                   return hn::LoadU(d, x + i);
                 }) /
                 static_cast<T>(count);
  const T variance = sum_vectors<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
                       const auto centred = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
                       return hn::Mul(centred, centred);
                     }) /
                     static_cast<T>(count);
  const T inverse = T(1) / std::sqrt(variance + T(kLayerNormEpsilon));
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto unit =
        hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean)), hn::Set(d, inverse));
    hn::StoreU(hn::MulAdd(unit, hn::LoadU(d, gain + i), hn::LoadU(d, offset + i)), d, out + i);
  });
  if (mean_out) *mean_out = mean;
  if (inverse_deviation_out) *inverse_deviation_out = inverse;
}

template <class T>
void layer_norm_vjp(const T* x, const T* gain, const T* dy, T mean, T inverse, T* dx,
                    bool accumulate, std::int64_t count) {
  const T mean_g = sum_vectors<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
                     return hn::Mul(hn::LoadU(d, dy + i), hn::LoadU(d, gain + i));
                   }) /
                   static_cast<T>(count);
  const T mean_gu = sum_vectors<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
                      const auto unit = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
                      return hn::Mul(unit,
                                     hn::Mul(hn::LoadU(d, dy + i), hn::LoadU(d, gain + i)));
                    }) *
                    inverse / static_cast<T>(count);
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto unit =
        hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean)), hn::Set(d, inverse));
    const auto g = hn::Mul(hn::LoadU(d, dy + i), hn::LoadU(d, gain + i));
    const auto inner = hn::NegMulAdd(unit, hn::Set(d, mean_gu), hn::Sub(g, hn::Set(d, mean_g)));
    put(d, hn::Mul(inner, hn::Set(d, inverse)), dx + i, accumulate);
  });
}

template <class T>
void layer_norm_weights_vjp(const T* x, const T* dy, T mean, T inverse, T* dgain, T* doffset,
                            std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto unit =
        hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean)), hn::Set(d, inverse));
    const auto g = hn::LoadU(d, dy + i);
    hn::StoreU(hn::MulAdd(unit, g, hn::LoadU(d, dgain + i)), d, dgain + i);
    put(d, g, doffset + i, true);
  });
}

template <class T>
T row_maximum(const T* x, std::int64_t count) {
  return max_vectors<T>(count, [=](auto d, std::int64_t i) HWY_ATTR { return hn::LoadU(d, x + i); });
}

template <class T>
void softmax(const T* x, T* out, std::int64_t count) {
  const T shift = row_maximum(x, count);
  const T total = sum_vectors<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto e = exp_fast(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, shift)));
    hn::StoreU(e, d, out + i);
    return e;
  });
  const T factor = T(1) / total;
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, out + i), hn::Set(d, factor)), d, out + i);
  });
}

template <class T>
void softmax_vjp(const T* y, const T* dy, T* dx, bool accumulate, std::int64_t count) {
  const T inner = sum_vectors<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    return hn::Mul(hn::LoadU(d, y + i), hn::LoadU(d, dy + i));
  });
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto centred = hn::Sub(hn::LoadU(d, dy + i), hn::Set(d, inner));
    put(d, hn::Mul(hn::LoadU(d, y + i), centred), dx + i, accumulate);
  });
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

template <class T>
void row_dots(MatrixView<const T> a, MatrixView<const T> b, T* out) {
  for (std::int64_t i = 0; i < a.rows; ++i) {
    const T* left = a.data + i * a.stride;
    const T* right = b.data + i * b.stride;
    out[i] = sum_vectors<T>(a.cols, [=](auto d, std::int64_t j) HWY_ATTR {
      return hn::Mul(hn::LoadU(d, left + j), hn::LoadU(d, right + j));
    });
  }
}

template <class T>
constexpr RowOpsTable<T> table = {&add_bias<T>,
                                  &add<T>,
                                  &layer_norm<T>,
                                  &layer_norm_vjp<T>,
                                  &layer_norm_weights_vjp<T>,
                                  &softmax<T>,
                                  &softmax_vjp<T>,
                                  &log_sum_exp<T>,
                                  &scale_rows<T>,
                                  &row_dots<T>};

}  // namespace

const RowOpsTable<float>* row_ops_float() { return &table<float>; }
const RowOpsTable<double>* row_ops_double() { return &table<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace asap
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap {
namespace {

ASAP_DEFINE_KERNELS(RowOpsTable, row_ops)

}  // namespace

template <class T>
void add_bias_rows(MatrixView<T> x, VectorView<const T> bias) {
  for (std::int64_t i = 0; i < x.rows; ++i)
    kernels<T>().add_bias(x.row(i).data(), bias.data(), x.cols);
}

template <class T>
void column_sums(MatrixView<const T> x, VectorView<T> out, bool accumulate) {
  if (!accumulate)
    for (T& value : out) value = T(0);
  for (std::int64_t i = 0; i < x.rows; ++i) kernels<T>().add(x.row(i).data(), out.data(), x.cols);
}

template <class T>
void layer_norm(MatrixView<const T> x, const LayerNormWeights<T>& weights, MatrixView<T> out,
                VectorView<T> mean, VectorView<T> inverse_deviation) {
  for (std::int64_t i = 0; i < x.rows; ++i)
    kernels<T>().layer_norm(x.row(i).data(), weights.gain.data(), weights.offset.data(),
                            out.row(i).data(), x.cols, mean.empty() ? nullptr : &mean[i],
                            inverse_deviation.empty() ? nullptr : &inverse_deviation[i]);
}

template <class T>
void layer_norm_vjp(MatrixView<const T> x, VectorView<const T> gain, VectorView<const T> mean,
                    VectorView<const T> inverse_deviation, MatrixView<const T> dy,
                    const LayerNormGradients<T>& gradients) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    if (gradients.x.data)
      kernels<T>().layer_norm_vjp(x.row(i).data(), gain.data(), dy.row(i).data(), mean[i],
                                  inverse_deviation[i], gradients.x.row(i).data(),
                                  gradients.accumulate_x, x.cols);
    if (!gradients.gain.empty())
      kernels<T>().layer_norm_weights_vjp(x.row(i).data(), dy.row(i).data(), mean[i],
                                          inverse_deviation[i], gradients.gain.data(),
                                          gradients.offset.data(), x.cols);
  }
}

template <class T>
void softmax_rows(MatrixView<const T> x, MatrixView<T> out) {
  for (std::int64_t i = 0; i < x.rows; ++i)
    kernels<T>().softmax(x.row(i).data(), out.row(i).data(), x.cols);
}

template <class T>
void softmax_rows_vjp(MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dx,
                      bool accumulate) {
  for (std::int64_t i = 0; i < y.rows; ++i)
    kernels<T>().softmax_vjp(y.row(i).data(), dy.row(i).data(), dx.row(i).data(), accumulate,
                             y.cols);
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

#define ASAP_INSTANTIATE(T)                                                                         \
  template void add_bias_rows<T>(MatrixView<T>, VectorView<const T>);                               \
  template void column_sums<T>(MatrixView<const T>, VectorView<T>, bool);                           \
  template void layer_norm<T>(MatrixView<const T>, const LayerNormWeights<T>&, MatrixView<T>,       \
                              VectorView<T>, VectorView<T>);                                        \
  template void layer_norm_vjp<T>(MatrixView<const T>, VectorView<const T>, VectorView<const T>,    \
                                  VectorView<const T>, MatrixView<const T>,                         \
                                  const LayerNormGradients<T>&);                                    \
  template void softmax_rows<T>(MatrixView<const T>, MatrixView<T>);                                \
  template void softmax_rows_vjp<T>(MatrixView<const T>, MatrixView<const T>, MatrixView<T>, bool); \
  template void log_sum_exp_rows<T>(MatrixView<const T>, VectorView<T>);                            \
  template void scale_rows<T>(MatrixView<const T>, VectorView<const T>, MatrixView<T>);             \
  template void row_dots<T>(MatrixView<const T>, MatrixView<const T>, VectorView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap
#endif  // HWY_ONCE
