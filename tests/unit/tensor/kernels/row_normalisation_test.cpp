#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "support/kernel_operands.h"
#include "tensor/core/tensor.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/row_ops.h"

using namespace asap::tensor;
using namespace asap::test;

TEST_CASE_TEMPLATE("layer norm adds its epsilon to the variance, in place, too", T, float, double) {
  constexpr double kEpsilon = 0.25;
  const Tensor<T> x = random_tensor<T>({5, kLength}, 1), gain = random_tensor<T>({kLength}, 2),
                  offset = random_tensor<T>({kLength}, 3);
  Tensor<T> out({5, kLength}), in_place({5, kLength});
  layer_norm<T>(x.rows(), {gain.flat(), offset.flat(), kEpsilon}, out.rows(), {}, {});
  for (std::int64_t i = 0; i < 5; ++i) {
    double mean = 0, variance = 0;
    for (const T value : x.rows().row(i)) mean += double(value) / kLength;
    for (const T value : x.rows().row(i)) variance += std::pow(value - mean, 2) / kLength;
    for (std::int64_t j = 0; j < kLength; ++j)
      REQUIRE(std::abs(out.rows()(i, j) -
                       ((x.rows()(i, j) - mean) / std::sqrt(variance + kEpsilon) * gain[j] +
                        offset[j])) < kUlps<T>);
  }
  std::ranges::copy(x.flat(), in_place.flat().begin());
  layer_norm<T>(in_place.rows(), {gain.flat(), offset.flat(), kEpsilon}, in_place.rows(), {}, {});
  CHECK(std::ranges::equal(in_place.flat(), out.flat()));
}

TEST_CASE_TEMPLATE("row kernels equal loops in double", T, float, double) {
  const Tensor<T> x = random_tensor<T>({5, kLength}, 1, 3.0);
  Tensor<T> out({5, kLength});
  Tensor<T> log_sums({5});
  softmax_rows<T>(x.rows(), out.rows());
  log_sum_exp_rows<T>(x.rows(), log_sums.flat());
  for (std::int64_t i = 0; i < 5; ++i) {
    double total = 0;
    for (const T value : x.rows().row(i)) total += std::exp(static_cast<double>(value));
    CHECK(log_sums[i] == doctest::Approx(std::log(total)).epsilon(kUlps<T>));
    for (std::int64_t j = 0; j < kLength; ++j)
      REQUIRE(std::abs(out.rows()(i, j) - std::exp(double(x.rows()(i, j))) / total) < kUlps<T>);
  }

  const Tensor<T> factors = random_tensor<T>({5}, 2);
  scale_rows<T>(x.rows(), factors.flat(), out.rows());
  CHECK(out.rows()(3, 70) == factors[3] * x.rows()(3, 70));
  Tensor<T> dots({5});
  row_dots<T>(x.rows(), x.rows(), dots.flat());
  CHECK(dots[2] == doctest::Approx(dot<T>(x.rows().row(2), x.rows().row(2))).epsilon(kUlps<T>));
  Tensor<T> scaled({5, kLength}), dots_again({5});
  scale_rows_with_dots<T>(x.rows(), factors.flat(), x.rows(), scaled.rows(), dots_again.flat());
  for (int i = 0; i < 5; ++i) CHECK(dots_again[i] == dots[i]);
  for (std::int64_t i = 0; i < scaled.size(); ++i) REQUIRE(scaled[i] == out[i]);

  Tensor<T> columns({kLength});
  column_sums<T>(x.rows(), columns.flat(), false);
  double column = 0;
  for (std::int64_t i = 0; i < 5; ++i) column += x.rows()(i, 76);
  CHECK(columns[76] == doctest::Approx(column).epsilon(kUlps<T>));
}

TEST_CASE("log-sum-exp survives values that overflow exp, and empty rows") {
  Tensor<float> x({1, 3});
  x[0] = 500;
  x[1] = 499;
  x[2] = -1e30f;
  Tensor<float> out({1});
  log_sum_exp_rows<float>(x.rows(), out.flat());
  CHECK(out[0] == doctest::Approx(500 + std::log(1 + std::exp(-1.0))).epsilon(1e-6));
  log_sum_exp_rows<float>(MatrixView<const float>(x.data(), 1, 0), out.flat());
  CHECK(out[0] == -std::numeric_limits<float>::infinity());
}
