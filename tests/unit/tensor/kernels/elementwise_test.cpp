#include "tensor/kernels/elementwise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "support/kernel_operands.h"
#include "tensor/core/tensor.h"

using namespace asap::tensor;
using namespace asap::test;

TEST_CASE_TEMPLATE("elementwise kernels equal loops in double", T, float, double) {
  const Tensor<T> a = random_tensor<T>({kLength}, 1), b = random_tensor<T>({kLength}, 2);
  Tensor<T> out({kLength});
  const auto check_all = [&](const auto& expected) {
    for (std::int64_t i = 0; i < kLength; ++i)
      REQUIRE(std::abs(static_cast<double>(out[i]) - expected(i)) < kUlps<T>);
  };
  add<T>(a.flat(), b.flat(), out.flat());
  check_all([&](std::int64_t i) { return double(a[i]) + double(b[i]); });
  multiply<T>(a.flat(), b.flat(), out.flat());
  check_all([&](std::int64_t i) { return double(a[i]) * double(b[i]); });
  multiply<T>(a.flat(), b.flat(), out.flat(), true);
  check_all([&](std::int64_t i) { return 2 * double(a[i]) * double(b[i]); });
  scale<T>(T(3), a.flat(), out.flat());
  axpy<T>(T(-2), b.flat(), out.flat());
  check_all([&](std::int64_t i) { return 3 * double(a[i]) - 2 * double(b[i]); });
  relu<T>(a.flat(), out.flat());
  check_all([&](std::int64_t i) { return std::max(0.0, double(a[i])); });
  gelu<T>(a.flat(), out.flat());
  check_all([&](std::int64_t i) {
    const double x = a[i];
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  });
}

TEST_CASE_TEMPLATE("exact GELU, tanh and their slopes equal those of the standard library", T,
                   float, double) {
  constexpr std::int64_t kPoints = 2501;
  Tensor<T> x({kPoints}), ones({kPoints}), out({kPoints}), slope({kPoints});
  for (std::int64_t i = 0; i < kPoints; ++i) {
    x[i] = static_cast<T>(-12.5 + 0.01 * static_cast<double>(i));
    ones[i] = 1;
  }
  // The exponent x^2 / 2 is rounded relative to itself, so the relative error grows with it; the
  // fit of erfc in float is good to 1.2e-7. So does that of std::erfc in double: hence long double.
  const double unit = std::numeric_limits<T>::epsilon(), absolute = 8 * unit;
  gelu_erf<T>(x.flat(), out.flat());
  for (std::int64_t i = 0; i < kPoints; ++i) {
    const double at = x[i];
    const auto expected = static_cast<double>(at * 0.5L * std::erfc(-at / std::sqrt(2.0L)));
    CHECK(std::abs(out[i] - expected) <= (4 + at * at) * unit * std::abs(expected) + 1e-37);
    CHECK(std::abs(out[i] - expected) <= absolute * std::max(1.0, std::abs(expected)));
  }
  gelu_erf_vjp<T>(x.flat(), ones.flat(), slope.flat(), false);
  for (std::int64_t i = 0; i < kPoints; ++i) {
    const double at = x[i], density = std::exp(-at * at / 2) / std::sqrt(2 * M_PI);
    const double expected = 0.5 * std::erfc(-at / std::sqrt(2.0)) + at * density;
    CHECK(std::abs(slope[i] - expected) <= 2 * absolute);  // a sum of two terms that may cancel
  }
  hyperbolic_tangent<T>(x.flat(), out.flat());
  hyperbolic_tangent_vjp<T>(out.flat(), ones.flat(), slope.flat(), false);
  for (std::int64_t i = 0; i < kPoints; ++i) {
    const double expected = std::tanh(static_cast<double>(x[i]));
    CHECK(std::abs(out[i] - expected) <= absolute);
    CHECK(std::abs(slope[i] - (1 - expected * expected)) <= 2 * absolute);
  }
}

TEST_CASE_TEMPLATE("exp has a small relative error over its whole range and ends in 0", T, float,
                   double) {
  const double lowest = std::is_same_v<T, float> ? -87 : -700, highest = -lowest;
  constexpr std::int64_t kPoints = 4001;
  Tensor<T> x({kPoints}), out({kPoints});
  for (std::int64_t i = 0; i < kPoints; ++i)
    x[i] = static_cast<T>(lowest + (highest - lowest) * static_cast<double>(i) / (kPoints - 1));
  exponential<T>(x.flat(), out.flat());
  double worst = 0;
  for (std::int64_t i = 0; i < kPoints; ++i)
    worst = std::max(worst, std::abs(out[i] / std::exp(static_cast<double>(x[i])) - 1));
  CHECK(worst < 4 * std::numeric_limits<T>::epsilon());
  x[0] = -std::numeric_limits<T>::max();
  exponential<T>(x.flat(), out.flat());
  CHECK(out[0] == 0);
}

TEST_CASE("exp is never a float below the normal numbers, which processors are slow with") {
  constexpr std::int64_t kPoints = 3001;
  Tensor<float> x({kPoints}), out({kPoints});
  for (std::int64_t i = 0; i < kPoints; ++i)
    x[i] = -80 - 30 * static_cast<float>(i) / (kPoints - 1);
  exponential<float>(x.flat(), out.flat());
  for (std::int64_t i = 0; i < kPoints; ++i) {
    CAPTURE(x[i]);
    CHECK((out[i] == 0 || std::isnormal(out[i])));
    CHECK((out[i] > 0 || x[i] < -87.2F));
  }
}

TEST_CASE_TEMPLATE("reductions equal loops in double", T, float, double) {
  for (const std::int64_t length : {1, 5, 16, 31, 77, 200}) {
    const Tensor<T> a = random_tensor<T>({length}, 1), b = random_tensor<T>({length}, 2);
    double total = 0, product = 0, largest = -INFINITY;
    for (std::int64_t i = 0; i < length; ++i) {
      total += a[i];
      product += double(a[i]) * double(b[i]);
      largest = std::max(largest, double(a[i]));
    }
    CHECK(sum<T>(a.flat()) == doctest::Approx(total).epsilon(kUlps<T>));
    CHECK(dot<T>(a.flat(), b.flat()) == doctest::Approx(product).epsilon(kUlps<T>));
    CHECK(maximum<T>(a.flat()) == largest);
  }
  const T nothing = -std::numeric_limits<T>::infinity();
  CHECK(maximum<T>(VectorView<const T>{}) == nothing);
  Tensor<T> masked({77});
  std::fill_n(masked.data(), masked.size(), nothing);
  CHECK(maximum<T>(masked.flat()) == nothing);
}
