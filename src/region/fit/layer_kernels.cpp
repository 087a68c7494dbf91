#include "region/fit/layer_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "region/fit/layer_kernels.cpp"
#include <hwy/foreach_target.h>

#include "region/fit/layer_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::region {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

using ConstMatrix = tensor::MatrixView<const double>;
using Matrix = tensor::MatrixView<double>;

/// b + sum_j w(j) h(j, i..)
template <class D>
HWY_INLINE auto affine(D d, const double* w, const ConstMatrix& h, std::int64_t i) {
  auto z = hn::Set(d, w[h.rows]);
  for (std::int64_t j = 0; j < h.rows; ++j)
    z = hn::MulAdd(hn::Set(d, w[j]), hn::LoadU(d, h.data + j * h.stride + i), z);
  return z;
}

void relu_row(const double* w, const ConstMatrix& h, double* out, double* slope) {
  for_each_vector<double>(h.cols, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto z = affine(d, w, h, i);
    const auto live = hn::Gt(z, hn::Zero(d));
    hn::StoreU(hn::IfThenElseZero(live, z), d, out + i);
    hn::StoreU(hn::IfThenElseZero(live, hn::Set(d, 1.0)), d, slope + i);
  });
}

void smooth_row(const double* w, const ConstMatrix& h, double tau, double* out, double* slope) {
  for_each_vector<double>(h.cols, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto half = hn::Set(d, 0.5);
    const auto z = affine(d, w, h, i);
    const auto root = hn::Sqrt(hn::MulAdd(z, z, hn::Set(d, tau * tau)));
    hn::StoreU(hn::Mul(half, hn::Add(z, root)), d, out + i);
    hn::StoreU(hn::MulAdd(half, hn::Div(z, root), half), d, slope + i);
  });
}

void relu_layer(const ConstMatrix& w, const ConstMatrix& h, double tau, const Matrix& out,
                const Matrix& slope) {
  for (std::int64_t k = 0; k < w.rows; ++k) {
    if (tau > 0)
      smooth_row(&w(k, 0), h, tau, &out(k, 0), &slope(k, 0));
    else
      relu_row(&w(k, 0), h, &out(k, 0), &slope(k, 0));
  }
}

void linear_output(const double* w, const ConstMatrix& h, double* out) {
  for_each_vector<double>(
      h.cols, [&](auto d, std::int64_t i) HWY_ATTR { hn::StoreU(affine(d, w, h, i), d, out + i); });
}

void relu_layer_vjp(const ConstMatrix& w, const ConstMatrix& delta, const ConstMatrix& slope,
                    const Matrix& delta_h) {
  for (std::int64_t j = 0; j < delta_h.rows; ++j) {
    for_each_vector<double>(delta_h.cols, [&](auto d, std::int64_t i) HWY_ATTR {
      auto sum = hn::Zero(d);
      for (std::int64_t k = 0; k < w.rows; ++k)
        sum = hn::MulAdd(hn::Set(d, w(k, j)), hn::LoadU(d, &delta(k, i)), sum);
      hn::StoreU(hn::Mul(sum, hn::LoadU(d, &slope(j, i))), d, &delta_h(j, i));
    });
  }
}

void layer_jacobian(const ConstMatrix& delta, const ConstMatrix& h, const Matrix& out) {
  for (std::int64_t k = 0; k < delta.rows; ++k) {
    const double* const sensitivity = &delta(k, 0);
    double* const first = &out(k * (h.rows + 1), 0);
    for_each_vector<double>(h.cols, [&](auto d, std::int64_t i) HWY_ATTR {
      const auto s = hn::LoadU(d, sensitivity + i);
      for (std::int64_t j = 0; j < h.rows; ++j)
        hn::StoreU(hn::Mul(s, hn::LoadU(d, &h(j, i))), d, first + j * out.stride + i);
      hn::StoreU(s, d, first + h.rows * out.stride + i);
    });
  }
}

void layer_gradient(const ConstMatrix& delta, const ConstMatrix& h, double* out) {
  for (std::int64_t k = 0; k < delta.rows; ++k) {
    for (std::int64_t j = 0; j < h.rows; ++j)
      *out++ = sum_vectors<double>(h.cols, [&](auto d, std::int64_t i) HWY_ATTR {
        return hn::Mul(hn::LoadU(d, &delta(k, i)), hn::LoadU(d, &h(j, i)));
      });
    *out++ = sum_vectors<double>(
        h.cols, [&](auto d, std::int64_t i) HWY_ATTR { return hn::LoadU(d, &delta(k, i)); });
  }
}

constexpr LayerKernelSet kKernelSet = {
    .relu_layer = &relu_layer,
    .linear_output = &linear_output,
    .relu_layer_vjp = &relu_layer_vjp,
    .layer_jacobian = &layer_jacobian,
    .layer_gradient = &layer_gradient,
};

const LayerKernelSet* kernel_set() { return &kKernelSet; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::region
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::region {
namespace {

ASAP_DEFINE_KERNELS(LayerKernelSet)

}  // namespace

void relu_layer(tensor::MatrixView<const double> w, tensor::MatrixView<const double> h, double tau,
                tensor::MatrixView<double> out, tensor::MatrixView<double> slope) {
  base::check(w.cols == h.rows + 1 && out.rows == w.rows && slope.rows == w.rows &&
                  out.cols == h.cols && slope.cols == h.cols,
              "relu_layer: shapes do not fit");
  kernels().relu_layer(w, h, tau, out, slope);
}

void linear_output(tensor::VectorView<const double> w, tensor::MatrixView<const double> h,
                   tensor::VectorView<double> out) {
  base::check(static_cast<std::int64_t>(w.size()) == h.rows + 1 &&
                  static_cast<std::int64_t>(out.size()) == h.cols,
              "linear_output: shapes do not fit");
  kernels().linear_output(w.data(), h, out.data());
}

void relu_layer_vjp(tensor::MatrixView<const double> w, tensor::MatrixView<const double> delta,
                    tensor::MatrixView<const double> slope, tensor::MatrixView<double> delta_h) {
  base::check(delta.rows == w.rows && w.cols == delta_h.rows + 1 && slope.rows == delta_h.rows &&
                  slope.cols == delta_h.cols && delta.cols == delta_h.cols,
              "relu_layer_vjp: shapes do not fit");
  kernels().relu_layer_vjp(w, delta, slope, delta_h);
}

void layer_jacobian(tensor::MatrixView<const double> delta, tensor::MatrixView<const double> h,
                    tensor::MatrixView<double> out) {
  base::check(delta.cols == h.cols && out.cols == h.cols && out.rows == delta.rows * (h.rows + 1),
              "layer_jacobian: shapes do not fit");
  kernels().layer_jacobian(delta, h, out);
}

void layer_gradient(tensor::MatrixView<const double> delta, tensor::MatrixView<const double> h,
                    tensor::VectorView<double> out) {
  base::check(
      delta.cols == h.cols && static_cast<std::int64_t>(out.size()) == delta.rows * (h.rows + 1),
      "layer_gradient: shapes do not fit");
  kernels().layer_gradient(delta, h, out.data());
}

}  // namespace asap::region
#endif
