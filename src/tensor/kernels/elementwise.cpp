#include "tensor/kernels/elementwise.h"

#include <array>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/elementwise.cpp"
#include <hwy/foreach_target.h>

#include "tensor/kernels/elementwise_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void axpy(T alpha, const T* x, T* y, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::MulAdd(hn::Set(d, alpha), hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i);
  });
}

template <class T>
void scale(T alpha, const T* x, T* out, bool accumulate, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    put(d, hn::Mul(hn::Set(d, alpha), hn::LoadU(d, x + i)), out + i, accumulate);
  });
}

template <class T>
void multiply(const T* a, const T* b, T* out, bool accumulate, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    put(d, hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), out + i, accumulate);
  });
}

template <class T>
void add(const T* a, const T* b, T* out, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
  });
}

template <class T>
void exponential(const T* x, T* out, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(exp_fast(d, hn::LoadU(d, x + i)), d, out + i);
  });
}

constexpr double kGeluScale = 0.7978845608028653559;  // sqrt(2 / pi)
constexpr double kGeluCubic = 0.044715;
constexpr double kExpLimit = 80.0;  // beyond it sigmoid is 0 or 1 in float, and exp stays finite

/// sigmoid(2 z(x)), the factor by which GELU multiplies x.
template <class D, class V>
HWY_INLINE V gelu_gate(D d, V x) {
  using T = hn::TFromD<D>;
  const V cubic = hn::Mul(hn::Mul(x, x), x);
  const V z =
      hn::Mul(hn::Set(d, T(-2 * kGeluScale)), hn::MulAdd(hn::Set(d, T(kGeluCubic)), cubic, x));
  const V e = exp_fast(d, hn::Min(z, hn::Set(d, T(kExpLimit))));
  return hn::Div(hn::Set(d, T(1)), hn::Add(hn::Set(d, T(1)), e));
}

template <class T>
void gelu(const T* x, T* out, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i);
    hn::StoreU(hn::Mul(v, gelu_gate(d, v)), d, out + i);
  });
}

template <class T>
void gelu_vjp(const T* x, const T* dy, T* dx, bool accumulate, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i);
    const auto gate = gelu_gate(d, v);
    const auto one = hn::Set(d, T(1));
    const auto dz = hn::Mul(hn::Set(d, T(2 * kGeluScale)),
                            hn::MulAdd(hn::Set(d, T(3 * kGeluCubic)), hn::Mul(v, v), one));
    const auto slope = hn::Mul(gate, hn::MulAdd(hn::Mul(v, dz), hn::Sub(one, gate), one));
    put(d, hn::Mul(slope, hn::LoadU(d, dy + i)), dx + i, accumulate);
  });
}

constexpr double kRootHalf = 0.70710678118654752440;             // 1 / sqrt(2)
constexpr double kNormalDensityAtZero = 0.39894228040143267794;  // 1 / sqrt(2 pi)

/// erfc(z) = t exp(-z^2 + p(t)) with t = 1 / (1 + z / 2), z >= 0; p from the highest power.
constexpr std::array<float, 10> kErfcExponent = {
    0.17087277f,  -0.82215223f, 1.48851587f, -1.13520398f, 0.27886807f,
    -0.18628806f, 0.09678418f,  0.37409196f, 1.00002368f,  -1.26551223f};

/// Phi(x), the normal distribution function.
template <class D, class V>
HWY_INLINE V normal_distribution(D d, V x) {
  const auto one = hn::Set(d, 1.0f), half = hn::Set(d, 0.5f);
  const V z = hn::Mul(hn::Abs(x), hn::Set(d, static_cast<float>(kRootHalf)));
  const V t = hn::Div(one, hn::MulAdd(half, z, one));
  V exponent = hn::Set(d, kErfcExponent[0]);
  for (std::size_t i = 1; i < kErfcExponent.size(); ++i)
    exponent = hn::MulAdd(exponent, t, hn::Set(d, kErfcExponent[i]));
  const V tail = hn::Mul(hn::Mul(half, t), exp_fast(d, hn::NegMulAdd(z, z, exponent)));
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail));
}

inline double normal_distribution(double x) { return 0.5 * std::erfc(-kRootHalf * x); }

template <class T>
void gelu_erf(const T* x, T* out, std::int64_t count) {
  if constexpr (sizeof(T) == sizeof(double)) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = x[i] * normal_distribution(x[i]);
  } else {
    for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
      const auto v = hn::LoadU(d, x + i);
      hn::StoreU(hn::Mul(v, normal_distribution(d, v)), d, out + i);
    });
  }
}

template <class T>
void gelu_erf_vjp(const T* x, const T* dy, T* dx, bool accumulate, std::int64_t count) {
  if constexpr (sizeof(T) == sizeof(double)) {
    for (std::int64_t i = 0; i < count; ++i) {
      const double density = kNormalDensityAtZero * std::exp(-0.5 * x[i] * x[i]);
      const double slope = (normal_distribution(x[i]) + x[i] * density) * dy[i];
      dx[i] = accumulate ? dx[i] + slope : slope;
    }
  } else {
    for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
      const auto v = hn::LoadU(d, x + i);
      const auto density = hn::Mul(hn::Set(d, static_cast<float>(kNormalDensityAtZero)),
                                   exp_fast(d, hn::Mul(hn::Set(d, -0.5f), hn::Mul(v, v))));
      const auto slope = hn::MulAdd(v, density, normal_distribution(d, v));
      put(d, hn::Mul(slope, hn::LoadU(d, dy + i)), dx + i, accumulate);
    });
  }
}

template <class T>
void relu(const T* x, T* out, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i);
    hn::StoreU(hn::IfThenZeroElse(hn::Lt(v, hn::Zero(d)), v), d, out + i);  // keeps NaN
  });
}

template <class T>
void relu_vjp(const T* x, const T* dy, T* dx, bool accumulate, std::int64_t count) {
  for_each_vector<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    const auto live = hn::Gt(hn::LoadU(d, x + i), hn::Zero(d));
    put(d, hn::IfThenElseZero(live, hn::LoadU(d, dy + i)), dx + i, accumulate);
  });
}

template <class T>
T sum(const T* x, std::int64_t count) {
  return sum_vectors<T>(count,
                        [=](auto d, std::int64_t i) HWY_ATTR { return hn::LoadU(d, x + i); });
}

template <class T>
T dot(const T* a, const T* b, std::int64_t count) {
  return sum_vectors<T>(count, [=](auto d, std::int64_t i) HWY_ATTR {
    return hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i));
  });
}

template <class T>
T maximum(const T* x, std::int64_t count) {
  return max_vectors<T>(count,
                        [=](auto d, std::int64_t i) HWY_ATTR { return hn::LoadU(d, x + i); });
}

template <class T>
void adamw_update(const AdamWStep<T>& s, const T* gradient, T* weights, T* first, T* second,
                  std::int64_t count) {
  const T keep = T(1) - s.learning_rate * s.weight_decay;
  const T rate = s.learning_rate / s.correction1;
  const T root_correction = T(1) / s.correction2;
  for_each_vector<T>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto g = hn::Mul(hn::LoadU(d, gradient + i), hn::Set(d, s.gradient_scale));
    const auto m = hn::MulAdd(hn::LoadU(d, first + i), hn::Set(d, s.beta1),
                              hn::Mul(g, hn::Set(d, T(1) - s.beta1)));
    const auto v = hn::MulAdd(hn::LoadU(d, second + i), hn::Set(d, s.beta2),
                              hn::Mul(hn::Mul(g, g), hn::Set(d, T(1) - s.beta2)));
    const auto root = hn::Sqrt(hn::Mul(v, hn::Set(d, root_correction)));
    const auto move = hn::Div(hn::Mul(m, hn::Set(d, rate)), hn::Add(root, hn::Set(d, s.epsilon)));
    const auto w = hn::Sub(hn::Mul(hn::LoadU(d, weights + i), hn::Set(d, keep)), move);
    hn::StoreU(m, d, first + i);
    hn::StoreU(v, d, second + i);
    hn::StoreU(w, d, weights + i);
  });
}

template <class T>
constexpr ElementwiseKernelSet<T> kKernelSet = {
    .add = &add<T>,
    .axpy = &axpy<T>,
    .scale = &scale<T>,
    .multiply = &multiply<T>,
    .exponential = &exponential<T>,
    .gelu = &gelu<T>,
    .gelu_vjp = &gelu_vjp<T>,
    .gelu_erf = &gelu_erf<T>,
    .gelu_erf_vjp = &gelu_erf_vjp<T>,
    .relu = &relu<T>,
    .relu_vjp = &relu_vjp<T>,
    .sum = &sum<T>,
    .dot = &dot<T>,
    .maximum = &maximum<T>,
    .adamw_update = &adamw_update<T>,
};

const ElementwiseKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const ElementwiseKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::tensor {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(ElementwiseKernelSet)

template <class T>
std::int64_t length(VectorView<T> v) {
  return static_cast<std::int64_t>(v.size());
}

}  // namespace

template <class T>
void add(VectorView<const T> a, VectorView<const T> b, VectorView<T> out) {
  kernels<T>().add(a.data(), b.data(), out.data(), length(out));
}
template <class T>
void axpy(T alpha, VectorView<const T> x, VectorView<T> y) {
  kernels<T>().axpy(alpha, x.data(), y.data(), length(y));
}
template <class T>
void scale(T alpha, VectorView<const T> x, VectorView<T> out, bool accumulate) {
  kernels<T>().scale(alpha, x.data(), out.data(), accumulate, length(out));
}
template <class T>
void multiply(VectorView<const T> a, VectorView<const T> b, VectorView<T> out, bool accumulate) {
  kernels<T>().multiply(a.data(), b.data(), out.data(), accumulate, length(out));
}
template <class T>
void exponential(VectorView<const T> x, VectorView<T> out) {
  kernels<T>().exponential(x.data(), out.data(), length(out));
}
template <class T>
void gelu(VectorView<const T> x, VectorView<T> out) {
  kernels<T>().gelu(x.data(), out.data(), length(out));
}
template <class T>
void gelu_vjp(VectorView<const T> x, VectorView<const T> dy, VectorView<T> dx, bool accumulate) {
  kernels<T>().gelu_vjp(x.data(), dy.data(), dx.data(), accumulate, length(dx));
}
template <class T>
void gelu_erf(VectorView<const T> x, VectorView<T> out) {
  kernels<T>().gelu_erf(x.data(), out.data(), length(out));
}
template <class T>
void gelu_erf_vjp(VectorView<const T> x, VectorView<const T> dy, VectorView<T> dx,
                  bool accumulate) {
  kernels<T>().gelu_erf_vjp(x.data(), dy.data(), dx.data(), accumulate, length(dx));
}
template <class T>
void hyperbolic_tangent(VectorView<const T> x, VectorView<T> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::tanh(x[i]);
}
template <class T>
void hyperbolic_tangent_vjp(VectorView<const T> y, VectorView<const T> dy, VectorView<T> dx,
                            bool accumulate) {
  for (std::size_t i = 0; i < dx.size(); ++i) {
    const T slope = (T(1) - y[i] * y[i]) * dy[i];
    dx[i] = accumulate ? dx[i] + slope : slope;
  }
}
template <class T>
void relu(VectorView<const T> x, VectorView<T> out) {
  kernels<T>().relu(x.data(), out.data(), length(out));
}
template <class T>
void relu_vjp(VectorView<const T> x, VectorView<const T> dy, VectorView<T> dx, bool accumulate) {
  kernels<T>().relu_vjp(x.data(), dy.data(), dx.data(), accumulate, length(dx));
}
template <class T>
T sum(VectorView<const T> x) {
  return kernels<T>().sum(x.data(), length(x));
}
template <class T>
T dot(VectorView<const T> a, VectorView<const T> b) {
  return kernels<T>().dot(a.data(), b.data(), length(a));
}
template <class T>
T maximum(VectorView<const T> x) {
  return kernels<T>().maximum(x.data(), length(x));
}
template <class T>
void adamw_update(const AdamWStep<T>& step, VectorView<const T> gradient, VectorView<T> weights,
                  VectorView<T> first_moment, VectorView<T> second_moment) {
  kernels<T>().adamw_update(step, gradient.data(), weights.data(), first_moment.data(),
                            second_moment.data(), length(weights));
}

#define ASAP_INSTANTIATE(T)                                                                        \
  template void add<T>(VectorView<const T>, VectorView<const T>, VectorView<T>);                   \
  template void axpy<T>(T, VectorView<const T>, VectorView<T>);                                    \
  template void scale<T>(T, VectorView<const T>, VectorView<T>, bool);                             \
  template void multiply<T>(VectorView<const T>, VectorView<const T>, VectorView<T>, bool);        \
  template void exponential<T>(VectorView<const T>, VectorView<T>);                                \
  template void gelu<T>(VectorView<const T>, VectorView<T>);                                       \
  template void gelu_vjp<T>(VectorView<const T>, VectorView<const T>, VectorView<T>, bool);        \
  template void gelu_erf<T>(VectorView<const T>, VectorView<T>);                                   \
  template void gelu_erf_vjp<T>(VectorView<const T>, VectorView<const T>, VectorView<T>, bool);    \
  template void hyperbolic_tangent<T>(VectorView<const T>, VectorView<T>);                         \
  template void hyperbolic_tangent_vjp<T>(VectorView<const T>, VectorView<const T>, VectorView<T>, \
                                          bool);                                                   \
  template void relu<T>(VectorView<const T>, VectorView<T>);                                       \
  template void relu_vjp<T>(VectorView<const T>, VectorView<const T>, VectorView<T>, bool);        \
  template T sum<T>(VectorView<const T>);                                                          \
  template T dot<T>(VectorView<const T>, VectorView<const T>);                                     \
  template T maximum<T>(VectorView<const T>);                                                      \
  template void adamw_update<T>(const AdamWStep<T>&, VectorView<const T>, VectorView<T>,           \
                                VectorView<T>, VectorView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::tensor
#endif  // HWY_ONCE
