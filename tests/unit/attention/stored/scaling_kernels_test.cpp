#include "attention/stored/scaling_kernels.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/stored/column_updates.h"
#include "support/kernel_operands.h"
#include "tensor/core/tensor.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

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
    Tensor<T> copy = scores;
    exponentiate<T>({copy.data(), n, m, stride}, row_shift.flat(), column_shift.flat());

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
    for (std::size_t i = 0; i < copy.flat().size(); ++i)
      REQUIRE(copy.flat()[i] == scores.flat()[i]);
    for (int j = 0; j < m; ++j) {
      double total = 0;
      for (int i = 0; i < n; ++i) total += double(gibbs(i, j)) * u[i];
      CHECK(columns[j] == doctest::Approx(total).epsilon(kUlps<T>));
    }

    Tensor<T> weights({n}), weighted({n}), weighted_columns({stride});
    for (int i = 0; i < n; ++i) weights[i] = static_cast<T>(1 + i % 3);
    weighted_scaling_sweep<T>(gibbs, v.flat(), weights.flat(), weighted.flat(),
                              weighted_columns.flat());
    for (int i = 0; i < n; ++i)
      CHECK(weighted[i] == doctest::Approx(double(weights[i]) * u[i]).epsilon(kUlps<T>));
    for (int j = 0; j < m; ++j) {
      double total = 0;
      for (int i = 0; i < n; ++i) total += double(gibbs(i, j)) * weighted[i];
      CHECK(weighted_columns[j] == doctest::Approx(total).epsilon(kUlps<T>));
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
