#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "attention/stored/column_updates.h"
#include "attention/stored/scaling_kernels.h"
#include "base/random.h"
#include "tensor/core/tensor.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/patches.h"
#include "tensor/kernels/row_ops.h"

using namespace asap::attention;
using namespace asap::base;
using namespace asap::tensor;

namespace {

template <class T>
Tensor<T> random_tensor(const Shape& shape, std::uint32_t which, double deviation = 1) {
  Tensor<T> out(shape);
  RandomStream random(9, RandomPurpose::test, which);
  for (T& value : out.flat()) value = static_cast<T>(deviation * random.normal());
  return out;
}

/// A few units in the last place: elementary functions and sums of some dozen terms of size 1.
template <class T>
constexpr double kUlps = 64 * std::numeric_limits<T>::epsilon();

constexpr std::int64_t kLength = 77;  // not a multiple of any lane count

}  // namespace

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

TEST_CASE_TEMPLATE("sweeps over a stored Gibbs kernel equal the updates they stand for", T, float,
                   double) {
  for (const auto& [n, m] :
       std::vector<std::pair<int, int>>{{1, 1}, {7, 5}, {49, 49}, {6, 100}, {37, 500}}) {
    const std::int64_t stride = padded_columns<T>(m);
    Tensor<T> scores({n, stride}), row_shift({n}), column_shift({stride});
    const Tensor<T> raw = random_tensor<T>({n, m}, 1, 4.0);
    const MatrixView<T> gibbs(scores.data(), n, m, stride);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < m; ++j) gibbs(i, j) = raw.rows()(i, j);
    score_shifts<T>(gibbs, row_shift.flat(), column_shift.flat());

    Tensor<T> v({stride}), u({n}), columns({stride});
    for (int j = 0; j < m; ++j) v[j] = static_cast<T>(0.5 + 0.1 * (j % 7));
    exponentiate_and_scale<T>(gibbs, row_shift.flat(), column_shift.flat(), v.flat(), u.flat(),
                              columns.flat());
    for (int i = 0; i < n; ++i) {
      double total = 0, top = 0;
      for (int j = 0; j < m; ++j) {
        const double expected =
            std::exp(double(raw.rows()(i, j)) + double(row_shift[i]) + double(column_shift[j]));
        REQUIRE(gibbs(i, j) == doctest::Approx(expected).epsilon(kUlps<T>));
        total += expected * v[j];
        top = std::max(top, expected);
      }
      CHECK(top == doctest::Approx(1).epsilon(1e-6));  // each row keeps an entry of 1
      CHECK(u[i] == doctest::Approx(1 / total).epsilon(kUlps<T>));
      for (std::int64_t j = m; j < stride; ++j) REQUIRE(gibbs.data[i * stride + j] == 0);
    }
    for (int j = 0; j < m; ++j) {
      double total = 0;
      for (int i = 0; i < n; ++i) total += double(gibbs(i, j)) * u[i];
      CHECK(columns[j] == doctest::Approx(total).epsilon(kUlps<T>));
    }

    Tensor<T> factor = random_tensor<T>({n}, 5), w({n}), pulled({stride});
    adjoint_sweep<T>(gibbs, v.flat(), factor.flat(), w.flat(), pulled.flat());
    double expected_w = 0, expected_pulled = 0;
    for (int j = 0; j < m; ++j) expected_w += double(gibbs(n - 1, j)) * v[j];
    CHECK(w[n - 1] == doctest::Approx(factor[n - 1] * expected_w).epsilon(kUlps<T>));
    for (int i = 0; i < n; ++i) expected_pulled += double(gibbs(i, m - 1)) * w[i];
    CHECK(std::abs(pulled[m - 1] - expected_pulled) < kUlps<T> * n * m);
    weighted_column_sum<T>(gibbs, w.flat(), columns.flat());
    for (int j = 0; j < m; ++j) CHECK(std::abs(columns[j] - pulled[j]) < kUlps<T> * n * m);

    const Tensor<T> sums = random_tensor<T>({stride}, 6, 4.0);
    Tensor<T> next({stride}), adjoint({stride});
    update_columns<T>(m, T(2), sums.flat(), next.flat());
    adjoint_columns<T>(T(2), pulled.flat(), sums.flat(), next.flat(), adjoint.flat());
    for (int j = 0; j < m; ++j) {
      CHECK(next[j] == doctest::Approx(2 / double(sums[j])).epsilon(kUlps<T>));
      const double gradient = double(pulled[j]) + double(sums[j]), v = next[j];
      CHECK(adjoint[j] == doctest::Approx(-gradient * v * v / 2).epsilon(8 * kUlps<T>));
    }
    double error = 0;
    for (int j = 0; j < m; ++j) error += std::abs(double(v[j]) * sums[j] / 2 - 1) / m;
    CHECK(column_error<T>(m, T(2), sums.flat(), v.flat()) ==
          doctest::Approx(error).epsilon(8 * kUlps<T>));
    for (std::int64_t j = m; j < stride; ++j) CHECK((next[j] == 0 && adjoint[j] == 0));
  }
}

TEST_CASE("patches keep rows, columns and channels where they belong") {
  const PatchGrid grid{2, 4, 6, 2};
  Tensor<float> image({1, 2 * 4 * 6}), patches({6, 8});
  for (std::int64_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i);
  extract_patches<float>(grid, image.rows(), patches.rows());
  // Patch 4 is the second row of patches, second column: rows 2-3, columns 2-3 of both channels.
  const float expected[] = {14, 15, 20, 21, 38, 39, 44, 45};
  for (int i = 0; i < 8; ++i) CHECK(patches.rows()(4, i) == expected[i]);
}
