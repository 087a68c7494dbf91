#include "attention/stored/relaxed_sweep.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/stored/scaling_kernels.h"
#include "support/kernel_operands.h"
#include "tensor/core/tensor.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("a relaxed iteration on a stored Gibbs kernel equals loops in double") {
  for (const std::pair<int, int>& size :
       std::vector<std::pair<int, int>>{{1, 1}, {7, 5}, {16, 16}, {49, 49}, {6, 100}, {37, 500}})
    for (const int stage : {1, 3}) {
      const int n = size.first, m = size.second;
      INFO(n << " x " << m << ", iteration " << stage);
      const std::int64_t stride = padded_columns<float>(m);
      Tensor<float> memory({n, stride}), v({stride}), sums({stride}), u({n});
      const Tensor<float> raw = random_tensor<float>({n, m}, 1, 1.0),
                          start = random_tensor<float>({n}, 2, 1.0);
      const MatrixView<float> gibbs(memory.data(), n, m, stride);
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < m; ++j) gibbs(i, j) = std::exp(raw.rows()(i, j));
      for (int j = 0; j < m; ++j) v[j] = 0.5f + 0.1f * static_cast<float>(j % 7);
      Tensor<float> dual = start, differences = random_tensor<float>({3, n}, 3, 1.0);
      const Tensor<float> before = differences;
      const std::vector<float> all{0.25f, -0.5f, 0.75f};
      const std::span<const float> weights = std::span(all).first(static_cast<std::size_t>(stage));
      relaxed_sweep(gibbs, v.flat(), weights, {dual.flat(), differences.rows()}, u.flat(),
                    sums.flat());

      std::vector<double> column(static_cast<std::size_t>(m), 0.0);
      for (int i = 0; i < n; ++i) {
        double sum = 0;
        for (int j = 0; j < m; ++j) sum += double(gibbs(i, j)) * double(v[j]);
        const double updated = -std::log2(sum), difference = updated - double(start[i]);
        double expected = updated + double(weights[stage - 1]) * difference;
        for (int s = 0; s + 1 < stage; ++s)
          expected += double(weights[s]) * double(before.rows()(s, i));
        CHECK(std::abs(differences.rows()(stage - 1, i) - difference) < 1e-5);
        CHECK(std::abs(dual[i] - expected) < 1e-5);
        CHECK(u[i] == doctest::Approx(std::exp2(expected)).epsilon(1e-5));
        for (int s = 0; s + 1 < stage; ++s) CHECK(differences.rows()(s, i) == before.rows()(s, i));
        for (int j = 0; j < m; ++j) column[j] += std::exp2(expected) * double(gibbs(i, j));
      }
      for (int j = 0; j < m; ++j) CHECK(sums[j] == doctest::Approx(column[j]).epsilon(1e-5));
    }
}
