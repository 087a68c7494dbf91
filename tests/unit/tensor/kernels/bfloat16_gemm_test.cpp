#include "tensor/kernels/bfloat16_gemm.h"

#include <bit>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/random.h"
#include "support/share.h"
#include "tensor/core/tensor.h"
#include "tensor/kernels/gemm.h"

using namespace asap::base;
using namespace asap::tensor;

namespace {

constexpr ProductPrecision kRounded = ProductPrecision::bfloat16;

Tensor<float> random_operand(std::int64_t rows, std::int64_t cols, std::uint32_t which) {
  Tensor<float> out({rows, cols});
  RandomStream random(5, RandomPurpose::test, which);
  for (float& value : out.flat()) value = static_cast<float>(random.uniform(-1, 1));
  return out;
}

/// To nearest even, as the processor rounds; the value itself where it does not round.
float rounded(float value) {
  static const bool rounds = bfloat16_gemm() != nullptr;
  if (!rounds) return value;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fffU + (bits >> 16 & 1U)) & 0xffff0000U);
}

struct Product {
  std::int64_t m, n, k;
  Transpose a = Transpose::no, b = Transpose::no;
  float beta = 0;
};

/// Largest difference to a loop in double on rounded operands, for each product added up.
double worst_error(const Product& p) {
  const bool a_t = p.a == Transpose::yes, b_t = p.b == Transpose::yes;
  const Tensor<float> a = a_t ? random_operand(p.k, p.m, 1) : random_operand(p.m, p.k, 1);
  const Tensor<float> b = b_t ? random_operand(p.n, p.k, 2) : random_operand(p.k, p.n, 2);
  Tensor<float> c = random_operand(p.m, p.n, 3);
  const Tensor<float> before = c;
  gemm<float>(p.a, p.b, 2, a.rows(), b.rows(), p.beta, c.rows(), kRounded);
  double worst = 0;
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      double expected = static_cast<double>(p.beta) * before.rows()(i, j);
      for (std::int64_t l = 0; l < p.k; ++l)
        expected += 2.0 * static_cast<double>(rounded(a_t ? a.rows()(l, i) : a.rows()(i, l))) *
                    static_cast<double>(rounded(b_t ? b.rows()(j, l) : b.rows()(l, j)));
      worst = std::max(worst, std::abs(expected - c.rows()(i, j)));
    }
  return worst / static_cast<double>(p.k + 1);
}

}  // namespace

TEST_CASE("a product in bfloat16 equals a loop in double on rounded operands") {
  const double tolerance = 8 * std::numeric_limits<float>::epsilon();
  std::int64_t index = 0;
  for (const std::int64_t m : {1, 3, 8, 49, 200})
    for (const std::int64_t n : {1, 16, 17, 49, 64, 100})
      for (const std::int64_t k : {1, 7, 31, 64, 513})
        for (const Transpose a : {Transpose::no, Transpose::yes})
          for (const Transpose b : {Transpose::no, Transpose::yes})
            for (const float beta : {0.0F, 1.0F, 0.5F}) {
              if (!asap::test::in_share(index++)) continue;
              CAPTURE(m);
              CAPTURE(n);
              CAPTURE(k);
              REQUIRE(worst_error({m, n, k, a, b, beta}) < tolerance);
            }
}

TEST_CASE("bfloat16 rounds to nearest even, and keeps what is not finite") {
  if (!bfloat16_gemm()) return;
  const auto product = [](float left, float right) {
    Tensor<float> a({1, 1}), b({1, 1}), c({1, 1});
    a[0] = left;
    b[0] = right;
    gemm<float>(Transpose::no, Transpose::no, 1, a.rows(), b.rows(), 0, c.rows(), kRounded);
    return c[0];
  };
  CHECK(product(1.0F + 0x1p-8F, 1) == 1.0F);                // a tie, to the even neighbour below
  CHECK(product(1.0F + 3 * 0x1p-8F, 1) == 1.0F + 0x1p-6F);  // a tie, to the even neighbour above
  CHECK(product(1.0F + 0x1.01p-8F, 1) == 1.0F + 0x1p-7F);
  CHECK(std::isinf(product(std::numeric_limits<float>::infinity(), 2)));
  CHECK(std::isnan(product(std::numeric_limits<float>::quiet_NaN(), 2)));
}

TEST_CASE("an affine map in bfloat16 adds its bias unrounded, and once") {
  for (const std::int64_t m : {1, 50})
    for (const std::int64_t n : {1, 16, 70})
      for (const std::int64_t k : {5, 32, 600}) {  // 600: two blocks of the inner dimension
        const Tensor<float> x = random_operand(m, k, 1), weight = random_operand(n, k, 2);
        const Tensor<float> bias = random_operand(1, n, 4);
        Tensor<float> y = random_operand(m, n, 3);
        const Tensor<float> before = y;
        affine<float>(x.rows(), weight.rows(), bias.flat(), 1, y.rows(), kRounded);
        for (std::int64_t i = 0; i < m; ++i)
          for (std::int64_t j = 0; j < n; ++j) {
            double expected =
                static_cast<double>(bias[j]) + static_cast<double>(before.rows()(i, j));
            for (std::int64_t l = 0; l < k; ++l)
              expected += static_cast<double>(rounded(x.rows()(i, l))) *
                          static_cast<double>(rounded(weight.rows()(j, l)));
            REQUIRE(std::abs(y.rows()(i, j) - expected) <
                    8 * std::numeric_limits<float>::epsilon() * static_cast<double>(k + 2));
          }
      }
}

TEST_CASE("rows of a product in bfloat16 do not depend on the rows beside them") {
  const Tensor<float> a = random_operand(400, 70, 1), b = random_operand(70, 50, 2);
  Tensor<float> whole({400, 50}), part({13, 50});
  gemm<float>(Transpose::no, Transpose::no, 1, a.rows(), b.rows(), 0, whole.rows(), kRounded);
  for (const std::int64_t first : {0, 187, 387}) {
    gemm<float>(Transpose::no, Transpose::no, 1, a.rows().block(first, 0, 13, 70), b.rows(), 0,
                part.rows(), kRounded);
    for (std::int64_t i = 0; i < 13; ++i)
      for (std::int64_t j = 0; j < 50; ++j)
        REQUIRE(part.rows()(i, j) == whole.rows()(first + i, j));
  }
}

TEST_CASE("a product in bfloat16 writes nothing beside its rows and columns") {
  const Tensor<float> a = random_operand(20, 33, 1), b = random_operand(33, 21, 2);
  Tensor<float> c({22, 40});
  for (float& value : c.flat()) value = 7;
  gemm<float>(Transpose::no, Transpose::no, 1, a.rows(), b.rows(), 0, c.rows().block(1, 3, 20, 21),
              kRounded);
  for (std::int64_t i = 0; i < 22; ++i)
    for (std::int64_t j = 0; j < 40; ++j)
      if (i < 1 || i > 20 || j < 3 || j > 23) REQUIRE(c.rows()(i, j) == 7);
}

TEST_CASE("doubles are not rounded to bfloat16") {
  const Tensor<double> a({2, 2}), b({2, 2});
  Tensor<double> c({2, 2});
  CHECK_THROWS_AS(
      gemm<double>(Transpose::no, Transpose::no, 1, a.rows(), b.rows(), 0, c.rows(), kRounded),
      InternalError);
}
