#include "tensor/kernels/batch_normalisation.h"

#include <cmath>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/batch_normalisation.cpp"
#include <hwy/foreach_target.h>

#include "tensor/kernels/batch_normalisation_kernel_set.h"
#include "tensor/kernels/row_ops.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/partial-inl.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void square_sums(MatrixView<const T> x, const T* centre, T* out) {
  const hn::ScalableTag<T> d;
  for_each_part<T>(x.cols, [=](std::int64_t j, std::int64_t live) HWY_ATTR {
    const auto middle = load_part(d, live, centre + j);
    auto even = hn::Zero(d), odd = hn::Zero(d);  // two sums that do not wait for each other
    const T* row = x.data + j;
    for (std::int64_t i = 0; i < x.rows; ++i, row += x.stride) {
      const auto u = hn::Sub(load_part(d, live, row), middle);
      const auto sum = hn::MulAdd(u, u, even);
      even = odd;
      odd = sum;
    }
    store_part(d, live, hn::Add(even, odd), out + j);
  });
}

template <class T>
void apply(MatrixView<const T> x, const T* scale, const T* shift, bool relu, MatrixView<T> y) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const T* from = x.data + i * x.stride;
    T* to = y.data + i * y.stride;
    for_each_vector<T>(x.cols, [=](auto d, std::int64_t j) HWY_ATTR {
      const auto z =
          hn::MulAdd(hn::LoadU(d, from + j), hn::LoadU(d, scale + j), hn::LoadU(d, shift + j));
      hn::StoreU(relu ? hn::Max(z, hn::Zero(d)) : z, d, to + j);
    });
  }
}

/// dy, or zero where ReLU is flat.
template <class D, class V>
HWY_INLINE V before_relu(D d, bool relu, V x, V scale, V shift, V dy) {
  if (!relu) return dy;
  return hn::IfThenElseZero(hn::Gt(hn::MulAdd(x, scale, shift), hn::Zero(d)), dy);
}

template <class T>
void gradient_sums(MatrixView<const T> x, MatrixView<const T> dy, const T* scale, const T* shift,
                   bool relu, const T* centre, T* sums, T* moments) {
  const hn::ScalableTag<T> d;
  for_each_part<T>(x.cols, [=](std::int64_t j, std::int64_t live) HWY_ATTR {
    const auto middle = load_part(d, live, centre + j), factor = load_part(d, live, scale + j),
               added = load_part(d, live, shift + j);
    auto even = hn::Zero(d), odd = hn::Zero(d), even_moment = hn::Zero(d), odd_moment = hn::Zero(d);
    const T* row = x.data + j;
    const T* gradient = dy.data + j;
    for (std::int64_t i = 0; i < x.rows; ++i, row += x.stride, gradient += dy.stride) {
      const auto value = load_part(d, live, row);
      const auto dz = before_relu(d, relu, value, factor, added, load_part(d, live, gradient));
      const auto sum = hn::Add(even, dz);
      const auto moment = hn::MulAdd(dz, hn::Sub(value, middle), even_moment);
      even = odd;
      odd = sum;
      even_moment = odd_moment;
      odd_moment = moment;
    }
    store_part(d, live, hn::Add(even, odd), sums + j);
    store_part(d, live, hn::Add(even_moment, odd_moment), moments + j);
  });
}

template <class T>
void input_gradient(MatrixView<const T> x, MatrixView<const T> dy, const T* scale, const T* shift,
                    bool relu, const T* slope, const T* constant, MatrixView<T> dx,
                    bool accumulate) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const T* from = x.data + i * x.stride;
    const T* gradient = dy.data + i * dy.stride;
    T* to = dx.data + i * dx.stride;
    for_each_vector<T>(x.cols, [=](auto d, std::int64_t j) HWY_ATTR {
      const auto value = hn::LoadU(d, from + j), factor = hn::LoadU(d, scale + j);
      const auto dz =
          before_relu(d, relu, value, factor, hn::LoadU(d, shift + j), hn::LoadU(d, gradient + j));
      const auto line = hn::MulAdd(hn::LoadU(d, slope + j), value, hn::LoadU(d, constant + j));
      put(d, hn::MulAdd(factor, dz, line), to + j, accumulate);
    });
  }
}

template <class T>
constexpr BatchNormalisationKernelSet<T> kKernelSet = {
    .square_sums = &square_sums<T>,
    .apply = &apply<T>,
    .gradient_sums = &gradient_sums<T>,
    .input_gradient = &input_gradient<T>,
};

const BatchNormalisationKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const BatchNormalisationKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::tensor {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(BatchNormalisationKernelSet)

/// A norm as z = scale x + shift.
template <class T>
struct AffineColumns {
  std::vector<T> inverse_deviation, scale, shift;  // [C]

  AffineColumns(const ColumnNorm<T>& norm, VectorView<const T> mean, VectorView<const T> variance) {
    base::check(norm.gain.size() == mean.size() && norm.offset.size() == mean.size() &&
                    variance.size() == mean.size(),
                "normalise_columns: shapes do not fit");
    for (std::size_t c = 0; c < mean.size(); ++c) {
      inverse_deviation.push_back(T(1) / std::sqrt(variance[c] + static_cast<T>(norm.epsilon)));
      scale.push_back(norm.gain[c] * inverse_deviation[c]);
      shift.push_back(norm.offset[c] - mean[c] * scale[c]);
    }
  }
};

}  // namespace

template <class T>
void column_moments(MatrixView<const T> x, VectorView<T> mean, VectorView<T> variance) {
  base::check(x.rows > 0 && static_cast<std::int64_t>(mean.size()) == x.cols &&
                  variance.size() == mean.size(),
              "column_moments: shapes do not fit");
  const T share = T(1) / static_cast<T>(x.rows);
  column_sums<T>(x, mean, false);
  for (T& value : mean) value *= share;
  kernels<T>().square_sums(x, mean.data(), variance.data());
  for (T& value : variance) value *= share;
}

template <class T>
void normalise_columns(const ColumnNorm<T>& norm, MatrixView<const T> x, VectorView<const T> mean,
                       VectorView<const T> variance, MatrixView<T> y) {
  base::check(
      static_cast<std::int64_t>(mean.size()) == x.cols && y.rows == x.rows && y.cols == x.cols,
      "normalise_columns: shapes do not fit");
  const AffineColumns<T> affine(norm, mean, variance);
  kernels<T>().apply(x, affine.scale.data(), affine.shift.data(), norm.relu, y);
}

template <class T>
void normalise_columns_vjp(const ColumnNorm<T>& norm, const NormaliseColumnsVjp<T>& pass) {
  base::check(static_cast<std::int64_t>(pass.mean.size()) == pass.x.cols &&
                  pass.dy.rows == pass.x.rows && pass.dy.cols == pass.x.cols &&
                  pass.dgain.size() == pass.mean.size() && pass.doffset.size() == pass.mean.size(),
              "normalise_columns_vjp: shapes do not fit");
  const AffineColumns<T> affine(norm, pass.mean, pass.variance);
  kernels<T>().gradient_sums(pass.x, pass.dy, affine.scale.data(), affine.shift.data(), norm.relu,
                             pass.mean.data(), pass.doffset.data(), pass.dgain.data());
  const T share = T(1) / static_cast<T>(pass.x.rows);
  std::vector<T> slope, constant;
  for (std::size_t c = 0; c < pass.mean.size(); ++c) {
    pass.dgain[c] *= affine.inverse_deviation[c];
    slope.push_back(-affine.scale[c] * affine.inverse_deviation[c] * pass.dgain[c] * share);
    constant.push_back(-affine.scale[c] * pass.doffset[c] * share - slope[c] * pass.mean[c]);
  }
  if (pass.dx.data == nullptr) return;
  kernels<T>().input_gradient(pass.x, pass.dy, affine.scale.data(), affine.shift.data(), norm.relu,
                              slope.data(), constant.data(), pass.dx, pass.accumulate_dx);
}

#define ASAP_INSTANTIATE(T)                                                                    \
  template void column_moments<T>(MatrixView<const T>, VectorView<T>, VectorView<T>);          \
  template void normalise_columns<T>(const ColumnNorm<T>&, MatrixView<const T>,                \
                                     VectorView<const T>, VectorView<const T>, MatrixView<T>); \
  template void normalise_columns_vjp<T>(const ColumnNorm<T>&, const NormaliseColumnsVjp<T>&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::tensor
#endif  // HWY_ONCE
