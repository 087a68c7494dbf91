#include "attention/stored/row_sums.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/stored/scaling_kernels.h"
#include "support/kernel_operands.h"
#include "tensor/core/tensor.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("row sums of a stored Gibbs kernel equal loops in double") {
  for (const std::pair<int, int>& size :
       std::vector<std::pair<int, int>>{{1, 1}, {7, 5}, {16, 16}, {49, 49}, {6, 100}, {37, 500}}) {
    const int n = size.first, m = size.second;
    INFO(n << " x " << m);
    const std::int64_t stride = padded_columns<float>(m);
    Tensor<float> scores({n, stride}), row_shift({n}), column_shift({stride});
    const Tensor<float> raw = random_tensor<float>({n, m}, 1, 4.0);
    const MatrixView<float> gibbs(scores.data(), n, m, stride);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < m; ++j) gibbs(i, j) = raw.rows()(i, j);
    score_shifts<float>(gibbs, row_shift.flat(), column_shift.flat());

    Tensor<float> a({stride}), b({stride}), a_sums({n}), b_sums({n}), again({n});
    for (int j = 0; j < m; ++j) {
      a[j] = 0.5f + 0.1f * static_cast<float>(j % 7);
      b[j] = 3.0f - 0.2f * static_cast<float>(j % 5);
    }
    exponentiate_rows(gibbs, row_shift.flat(), column_shift.flat(), {a.flat(), a_sums.flat()},
                      {b.flat(), b_sums.flat()});
    row_sums(gibbs, b.flat(), again.flat());
    for (int i = 0; i < n; ++i) {
      double a_total = 0, b_total = 0;
      for (int j = 0; j < m; ++j) {
        const double expected =
            std::exp(double(raw.rows()(i, j)) + double(row_shift[i]) + double(column_shift[j]));
        REQUIRE(gibbs(i, j) == doctest::Approx(expected).epsilon(kUlps<float>));
        a_total += expected * a[j];
        b_total += expected * b[j];
      }
      for (std::int64_t j = m; j < stride; ++j) REQUIRE(gibbs.data[i * stride + j] == 0);
      CHECK(a_sums[i] == doctest::Approx(a_total).epsilon(kUlps<float>));
      CHECK(b_sums[i] == doctest::Approx(b_total).epsilon(kUlps<float>));
      CHECK(again[i] == doctest::Approx(b_total).epsilon(kUlps<float>));
    }
  }
}
