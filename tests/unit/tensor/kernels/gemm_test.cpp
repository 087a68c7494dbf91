#include "tensor/kernels/gemm.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/random.h"
#include "support/share.h"
#include "tensor/core/tensor.h"

using namespace asap::base;
using namespace asap::tensor;
using namespace asap::test;

namespace {

template <class T>
Tensor<T> random_operand(std::int64_t rows, std::int64_t cols, std::uint32_t which) {
  Tensor<T> out({rows, cols});
  RandomStream random(3, RandomPurpose::test, which);
  for (T& value : out.flat()) value = static_cast<T>(random.uniform(-1, 1));
  return out;
}

/// Largest difference to a loop in double, relative to the norms of the row and column multiplied.
template <class T>
double worst_error(std::int64_t m, std::int64_t n, std::int64_t k, Transpose ta, Transpose tb,
                   T beta) {
  const bool a_t = ta == Transpose::yes, b_t = tb == Transpose::yes;
  const Tensor<T> a = a_t ? random_operand<T>(k, m, 1) : random_operand<T>(m, k, 1);
  const Tensor<T> b = b_t ? random_operand<T>(n, k, 2) : random_operand<T>(k, n, 2);
  Tensor<T> c = random_operand<T>(m, n, 3);
  const Tensor<T> before = c;
  gemm<T>(ta, tb, T(2), a.rows(), b.rows(), beta, c.rows());
  double worst = 0;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      double expected = static_cast<double>(beta) * before.rows()(i, j);
      for (std::int64_t l = 0; l < k; ++l)
        expected += 2.0 * static_cast<double>(a_t ? a.rows()(l, i) : a.rows()(i, l)) *
                    static_cast<double>(b_t ? b.rows()(j, l) : b.rows()(l, j));
      worst = std::max(worst, std::abs(expected - c.rows()(i, j)));
    }
  return worst / static_cast<double>(k + 1);
}

}  // namespace

TEST_CASE_TEMPLATE("gemm equals a loop in double for every shape, transposition and beta", T, float,
                   double) {
  // Entries are at most 1, so k products of at most 2 carry an error below k roundings of 2 k...
  // per term: worst / k stays under a few units in the last place of 2.
  const double tolerance = 8 * std::numeric_limits<T>::epsilon();
  std::int64_t index = 0;
  for (const std::int64_t m : {1, 3, 8, 13, 49, 200})
    for (const std::int64_t n : {1, 5, 16, 17, 49, 100})
      for (const std::int64_t k : {1, 7, 32, 600})
        for (const Transpose ta : {Transpose::no, Transpose::yes})
          for (const Transpose tb : {Transpose::no, Transpose::yes})
            for (const T beta : {T(0), T(1), T(0.5)}) {
              if (!asap::test::in_share(index++)) continue;
              CAPTURE(m);
              CAPTURE(n);
              CAPTURE(k);
              REQUIRE(worst_error<T>(m, n, k, ta, tb, beta) < tolerance);
            }
}

TEST_CASE_TEMPLATE("an affine map adds its bias once, whatever the widths", T, float, double) {
  const double tolerance = 8 * std::numeric_limits<T>::epsilon();
  for (const std::int64_t m : {1, 9, 50})
    for (const std::int64_t n : {1, 16, 49, 70})
      for (const std::int64_t k : {5, 32, 600})  // 600: two blocks of the inner dimension
        for (const T beta : {T(0), T(1)}) {
          const Tensor<T> x = random_operand<T>(m, k, 1), weight = random_operand<T>(n, k, 2);
          const Tensor<T> bias = random_operand<T>(1, n, 4);
          Tensor<T> y = random_operand<T>(m, n, 3);
          const Tensor<T> before = y;
          affine<T>(x.rows(), weight.rows(), bias.flat(), beta, y.rows());
          for (std::int64_t i = 0; i < m; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
              double expected =
                  static_cast<double>(bias[j]) + static_cast<double>(beta) * before.rows()(i, j);
              for (std::int64_t l = 0; l < k; ++l)
                expected += static_cast<double>(x.rows()(i, l)) * weight.rows()(j, l);
              REQUIRE(std::abs(y.rows()(i, j) - expected) < tolerance * static_cast<double>(k + 2));
            }
        }
}

TEST_CASE("gemm works on strided blocks and leaves their surroundings alone") {
  const Tensor<double> a = random_operand<double>(6, 20, 1), b = random_operand<double>(9, 30, 2);
  Tensor<double> c({8, 40});
  for (double& value : c.flat()) value = -7;
  const MatrixView<double> block = c.rows().block(1, 3, 4, 5);
  gemm<double>(Transpose::no, Transpose::no, 1.0, a.rows().block(1, 2, 4, 7),
               b.rows().block(2, 4, 7, 5), 0.0, block);
  double expected = 0;
  for (int l = 0; l < 7; ++l) expected += a.rows()(2, 2 + l) * b.rows()(2 + l, 5);
  CHECK(block(1, 1) == doctest::Approx(expected).epsilon(1e-14));
  int untouched = 0;
  for (const double value : c.flat()) untouched += value == -7 ? 1 : 0;
  CHECK(untouched == 8 * 40 - 4 * 5);
}

TEST_CASE("with beta = 0 old values of C do not matter, not even NaN; an empty sum gives zeros") {
  const Tensor<float> a = random_operand<float>(3, 4, 1), b = random_operand<float>(4, 5, 2);
  Tensor<float> c({3, 5});
  for (float& value : c.flat()) value = NAN;
  gemm<float>(Transpose::no, Transpose::no, 1, a.rows(), b.rows(), 0, c.rows());
  for (const float value : c.flat()) CHECK(std::isfinite(value));
  for (float& value : c.flat()) value = NAN;
  gemm<float>(Transpose::no, Transpose::no, 1, MatrixView<const float>(a.data(), 3, 0),
              MatrixView<const float>(b.data(), 0, 5), 0, c.rows());
  for (const float value : c.flat()) CHECK(value == 0);
}

TEST_CASE("a row of the product does not depend on the rows beside it") {
  const Tensor<float> a = random_operand<float>(50, 70, 1), b = random_operand<float>(70, 33, 2);
  Tensor<float> all({50, 33}), one({1, 33});
  gemm<float>(Transpose::no, Transpose::no, 1, a.rows(), b.rows(), 0, all.rows());
  for (const std::int64_t i : {0, 7, 8, 48, 49}) {
    gemm<float>(Transpose::no, Transpose::no, 1, a.rows().block(i, 0, 1, 70), b.rows(), 0,
                one.rows());
    for (std::int64_t j = 0; j < 33; ++j) CHECK(one[j] == all.rows()(i, j));
  }
}

TEST_CASE("shapes that do not fit are refused") {
  Tensor<float> a({3, 4}), b({5, 6}), c({3, 6});
  CHECK_THROWS_AS(gemm<float>(Transpose::no, Transpose::no, 1, a.rows(), b.rows(), 0, c.rows()),
                  InternalError);
}
