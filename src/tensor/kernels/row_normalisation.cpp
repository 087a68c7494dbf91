#include "tensor/kernels/row_ops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/row_normalisation.cpp"
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
void layer_norm(MatrixView<const T> x, const T* gain, const T* offset, T epsilon, MatrixView<T> out,
                T* mean_out, T* inverse_out) {
  const hn::ScalableTag<T> d;
  const Vector<T> share = hn::Set(d, T(1) / static_cast<T>(x.cols));
  for_each_block<T>(x.rows, [=](std::int64_t first, std::int64_t count) HWY_ATTR {
    HWY_ALIGN T mean[lanes<T>()], inverse[lanes<T>()];
    const T* mean_of = mean;
    const T* rows = x.data + first * x.stride;
    const std::int64_t stride = x.stride, cols = x.cols, out_stride = out.stride;
    const T* gains = gain;
    const T* offsets = offset;
    const auto load = [=](std::int64_t r, std::int64_t j, std::int64_t live)
                          HWY_ATTR { return load_part(d, live, rows + r * stride + j); };
    hn::Store(hn::Mul(share, block_sums<T>(count, cols, load)), d, mean);
    const auto squares = [=](std::int64_t r, std::int64_t j, std::int64_t live) HWY_ATTR {
      const Vector<T> centred = hn::Sub(load(r, j, live), hn::Set(d, mean_of[r]));
      return hn::Mul(centred, centred);
    };
    const Vector<T> variance = hn::Mul(share, block_sums<T>(count, cols, squares));
    hn::Store(hn::Div(hn::Set(d, T(1)), hn::Sqrt(hn::Add(variance, hn::Set(d, epsilon)))), d,
              inverse);
    T* to = out.data + first * out_stride;
    for (std::int64_t r = 0; r < count; ++r) {
      const Vector<T> centre = hn::Set(d, mean[r]), factor = hn::Set(d, inverse[r]);
      for_each_part<T>(cols, [=](std::int64_t j, std::int64_t live) HWY_ATTR {
        const Vector<T> unit = hn::Mul(hn::Sub(load(r, j, live), centre), factor);
        store_part(d, live,
                   hn::MulAdd(unit, load_part(d, live, gains + j), load_part(d, live, offsets + j)),
                   to + r * out_stride + j);
      });
    }
    if (mean_out) store_first(d, count, hn::Load(d, mean), mean_out + first);
    if (inverse_out) store_first(d, count, hn::Load(d, inverse), inverse_out + first);
  });
}

/// One block of rows of layer_norm and what its gradients are made of.
template <class T>
struct LayerNormBlock {
  const T* x;
  std::int64_t x_stride;
  const T* dy;
  std::int64_t dy_stride;
  const T* gain;
  const T* mean;
  const T* inverse;
  std::int64_t count, cols;

  /// (x - mean) / deviation
  HWY_INLINE Vector<T> unit(std::int64_t r, std::int64_t j, std::int64_t live) const {
    const hn::ScalableTag<T> d;
    const Vector<T> centred =
        hn::Sub(load_part(d, live, x + r * x_stride + j), hn::Set(d, mean[r]));
    return hn::Mul(centred, hn::Set(d, inverse[r]));
  }
  /// dy * gain
  HWY_INLINE Vector<T> scaled(std::int64_t r, std::int64_t j, std::int64_t live) const {
    const hn::ScalableTag<T> d;
    return hn::Mul(load_part(d, live, dy + r * dy_stride + j), load_part(d, live, gain + j));
  }
};

template <class T>
HWY_INLINE void layer_norm_block_vjp(const LayerNormBlock<T> b, T* dx, std::int64_t dx_stride,
                                     bool accumulate) {
  const hn::ScalableTag<T> d;
  const Vector<T> share = hn::Set(d, T(1) / static_cast<T>(b.cols));
  HWY_ALIGN T mean_g[lanes<T>()], mean_gu[lanes<T>()];
  const auto g = [=](std::int64_t r, std::int64_t j, std::int64_t live)
                     HWY_ATTR { return b.scaled(r, j, live); };
  const auto gu = [=](std::int64_t r, std::int64_t j, std::int64_t live)
                      HWY_ATTR { return hn::Mul(b.unit(r, j, live), b.scaled(r, j, live)); };
  hn::Store(hn::Mul(share, block_sums<T>(b.count, b.cols, g)), d, mean_g);
  hn::Store(hn::Mul(share, block_sums<T>(b.count, b.cols, gu)), d, mean_gu);
  for (std::int64_t r = 0; r < b.count; ++r) {
    T* to = dx + r * dx_stride;
    const Vector<T> factor = hn::Set(d, b.inverse[r]);
    const Vector<T> centre = hn::Set(d, mean_g[r]), slope = hn::Set(d, mean_gu[r]);
    for_each_part<T>(b.cols, [=](std::int64_t j, std::int64_t live) HWY_ATTR {
      const Vector<T> inner =
          hn::NegMulAdd(b.unit(r, j, live), slope, hn::Sub(b.scaled(r, j, live), centre));
      store_part(d, live,
                 accumulate ? hn::MulAdd(inner, factor, load_part(d, live, to + j))
                            : hn::Mul(inner, factor),
                 to + j);
    });
  }
}

template <class T>
HWY_INLINE void layer_norm_block_weights_vjp(const LayerNormBlock<T> b, T* dgain, T* doffset) {
  const hn::ScalableTag<T> d;
  for_each_part<T>(b.cols, [=](std::int64_t j, std::int64_t live) HWY_ATTR {
    Vector<T> gain = load_part(d, live, dgain + j);
    Vector<T> offset = load_part(d, live, doffset + j);
    for (std::int64_t r = 0; r < b.count; ++r) {
      const Vector<T> dy = load_part(d, live, b.dy + r * b.dy_stride + j);
      gain = hn::MulAdd(b.unit(r, j, live), dy, gain);
      offset = hn::Add(offset, dy);
    }
    store_part(d, live, gain, dgain + j);
    store_part(d, live, offset, doffset + j);
  });
}

template <class T>
void layer_norm_vjp(MatrixView<const T> x, const T* gain, const T* mean, const T* inverse,
                    MatrixView<const T> dy, const LayerNormGradients<T>& gradients) {
  for (std::int64_t first = 0; first < x.rows; first += lanes<T>()) {
    const LayerNormBlock<T> block{x.data + first * x.stride,
                                  x.stride,
                                  dy.data + first * dy.stride,
                                  dy.stride,
                                  gain,
                                  mean + first,
                                  inverse + first,
                                  HWY_MIN(lanes<T>(), x.rows - first),
                                  x.cols};
    // The weights first: dx may lie where dy does.
    if (!gradients.gain.empty())
      layer_norm_block_weights_vjp(block, gradients.gain.data(), gradients.offset.data());
    if (gradients.x.data)
      layer_norm_block_vjp(block, gradients.x.data + first * gradients.x.stride, gradients.x.stride,
                           gradients.accumulate_x);
  }
}

template <class T>
void softmax(MatrixView<const T> x, MatrixView<T> out) {
  const hn::ScalableTag<T> d;
  for_each_block<T>(x.rows, [=](std::int64_t first, std::int64_t count) HWY_ATTR {
    HWY_ALIGN T shift[lanes<T>()], factor[lanes<T>()];
    const T* shift_of = shift;
    const T* from = x.data + first * x.stride;
    T* to = out.data + first * out.stride;
    const std::int64_t from_stride = x.stride, to_stride = out.stride, cols = x.cols;
    hn::Store(block_maxima(x, first, count), d, shift);
    const auto exponentials = [=](std::int64_t r, std::int64_t j, std::int64_t live) HWY_ATTR {
      const Vector<T> score = load_part(d, live, from + r * from_stride + j);
      const Vector<T> e = exp_fast(d, hn::Sub(score, hn::Set(d, shift_of[r])));
      store_part(d, live, e, to + r * to_stride + j);
      return e;
    };
    const Vector<T> total = block_sums<T>(count, cols, exponentials);
    hn::Store(hn::Div(hn::Set(d, T(1)), total), d, factor);
    for (std::int64_t r = 0; r < count; ++r) {
      T* row = to + r * to_stride;
      const Vector<T> f = hn::Set(d, factor[r]);
      for_each_part<T>(cols, [=](std::int64_t j, std::int64_t live) HWY_ATTR {
        store_part(d, live, hn::Mul(load_part(d, live, row + j), f), row + j);
      });
    }
  });
}

template <class T>
void softmax_vjp(MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dx, bool accumulate) {
  const hn::ScalableTag<T> d;
  for_each_block<T>(y.rows, [=](std::int64_t first, std::int64_t count) HWY_ATTR {
    HWY_ALIGN T inner[lanes<T>()];
    const T* plan = y.data + first * y.stride;
    const T* slope = dy.data + first * dy.stride;
    T* out = dx.data + first * dx.stride;
    const std::int64_t plan_stride = y.stride, slope_stride = dy.stride, out_stride = dx.stride;
    const std::int64_t cols = y.cols;
    const bool add = accumulate;
    const auto product = [=](std::int64_t r, std::int64_t j, std::int64_t live) HWY_ATTR {
      return hn::Mul(load_part(d, live, plan + r * plan_stride + j),
                     load_part(d, live, slope + r * slope_stride + j));
    };
    hn::Store(block_sums<T>(count, cols, product), d, inner);
    for (std::int64_t r = 0; r < count; ++r) {
      const Vector<T> centre = hn::Set(d, inner[r]);
      const T* p = plan + r * plan_stride;
      const T* s = slope + r * slope_stride;
      T* to = out + r * out_stride;
      for_each_part<T>(cols, [=](std::int64_t j, std::int64_t live) HWY_ATTR {
        Vector<T> value =
            hn::Mul(load_part(d, live, p + j), hn::Sub(load_part(d, live, s + j), centre));
        if (add) value = hn::Add(load_part(d, live, to + j), value);
        store_part(d, live, value, to + j);
      });
    }
  });
}

template <class T>
constexpr RowNormalisationKernelSet<T> kKernelSet = {
    .layer_norm = &layer_norm<T>,
    .layer_norm_vjp = &layer_norm_vjp<T>,
    .softmax = &softmax<T>,
    .softmax_vjp = &softmax_vjp<T>,
};

const RowNormalisationKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const RowNormalisationKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::tensor {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(RowNormalisationKernelSet)

}  // namespace

template <class T>
void layer_norm(MatrixView<const T> x, const LayerNormWeights<T>& weights, MatrixView<T> out,
                VectorView<T> mean, VectorView<T> inverse_deviation) {
  kernels<T>().layer_norm(x, weights.gain.data(), weights.offset.data(),
                          static_cast<T>(weights.epsilon), out, mean.data(),
                          inverse_deviation.data());
}

template <class T>
void layer_norm_vjp(MatrixView<const T> x, VectorView<const T> gain, VectorView<const T> mean,
                    VectorView<const T> inverse_deviation, MatrixView<const T> dy,
                    const LayerNormGradients<T>& gradients) {
  kernels<T>().layer_norm_vjp(x, gain.data(), mean.data(), inverse_deviation.data(), dy, gradients);
}

template <class T>
void softmax_rows(MatrixView<const T> x, MatrixView<T> out) {
  kernels<T>().softmax(x, out);
}

template <class T>
void softmax_rows_vjp(MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dx,
                      bool accumulate) {
  kernels<T>().softmax_vjp(y, dy, dx, accumulate);
}

#define ASAP_INSTANTIATE(T)                                                                      \
  template void layer_norm<T>(MatrixView<const T>, const LayerNormWeights<T>&, MatrixView<T>,    \
                              VectorView<T>, VectorView<T>);                                     \
  template void layer_norm_vjp<T>(MatrixView<const T>, VectorView<const T>, VectorView<const T>, \
                                  VectorView<const T>, MatrixView<const T>,                      \
                                  const LayerNormGradients<T>&);                                 \
  template void softmax_rows<T>(MatrixView<const T>, MatrixView<T>);                             \
  template void softmax_rows_vjp<T>(MatrixView<const T>, MatrixView<const T>, MatrixView<T>, bool);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::tensor
#endif  // HWY_ONCE
