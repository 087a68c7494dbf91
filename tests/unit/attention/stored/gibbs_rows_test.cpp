#include "attention/stored/gibbs_rows.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/stored/scaling_kernels.h"
#include "base/random.h"
#include "unit/attention/stored/random_head.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

namespace {

// With this number of keys a block has 32 rows.
constexpr std::int64_t kKeys = 2100;

Tensor<double> random_matrix(std::int64_t rows, std::int64_t cols, std::uint32_t which) {
  Tensor<double> x({rows, cols});
  asap::base::RandomStream random(21, asap::base::RandomPurpose::test, which);
  for (double& value : x.flat()) value = random.uniform(0.1, 1);
  return x;
}

VectorView<double> padded(Arena& arena, std::int64_t m, double value) {
  const auto x = arena.vector<double>(padded_columns<double>(m));
  std::ranges::fill(x, 0.0);
  std::fill(x.begin(), x.begin() + m, value);
  return x;
}

double largest_difference(VectorView<const double> x, VectorView<const double> y) {
  double error = 0;
  for (std::size_t i = 0; i < y.size(); ++i)
    error = std::max(error, std::abs(x[i] - y[i]) / (1 + std::abs(y[i])));
  return error;
}

/// K by its definition, from the shifts of the state.
Tensor<double> naive_gibbs(const AttentionHead<double>& head, const SinkhornState<double>& state) {
  Tensor<double> gibbs({head.queries.rows, head.keys.rows});
  for (std::int64_t i = 0; i < gibbs.shape()[0]; ++i)
    for (std::int64_t j = 0; j < gibbs.shape()[1]; ++j) {
      double score = state.row_shift[i] + state.column_shift[j];
      for (std::int64_t c = 0; c < head.queries.cols; ++c)
        score += head.scale * head.queries(i, c) * head.keys(j, c);
      gibbs.rows()(i, j) = std::exp(score);
    }
  return gibbs;
}

}  // namespace

TEST_CASE("every pass over blocks of the Gibbs kernel equals a naive loop at every lifetime") {
  for (const std::int64_t n : {1, 32, 33, 100})
    for (const auto lifetime :
         {GibbsLifetime::kept, GibbsLifetime::released, GibbsLifetime::blocks}) {
      CAPTURE(n);
      CAPTURE(static_cast<int>(lifetime));
      const RandomHead c = random_head(n, kKeys, 3, 2.0);
      const AttentionHead<double> head{c.q.rows(), c.k.rows(), c.v.rows(), c.scale};
      Arena arena;
      Tensor<double> output({n, 8});
      SinkhornState<double> state =
          sinkhorn_attention<double>(head, 2, output.rows(), arena, lifetime);
      REQUIRE_FALSE(state.log_domain);
      GibbsRows<double> gibbs(head, state, arena);
      gibbs.restore();
      const Tensor<double> naive = naive_gibbs(head, state);

      const Tensor<double> x = random_matrix(kKeys, 3, 1), y = random_matrix(n, 3, 2);
      Tensor<double> kx({n, 3}), kty({kKeys, 3}), expected_kx({n, 3}), expected_kty({kKeys, 3});
      gibbs.times(x.rows(), kx.rows());
      gibbs.transposed_times(y.rows(), kty.rows());
      std::vector<double> u(n), w(n), sums(kKeys), row_products(n);
      const std::vector<double> factor(n, -2.0);
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < kKeys; ++j) {
          row_products[i] += 0.5 * naive.rows()(i, j);
          for (int f = 0; f < 3; ++f) {
            expected_kx.rows()(i, f) += naive.rows()(i, j) * x.rows()(j, f);
            expected_kty.rows()(j, f) += naive.rows()(i, j) * y.rows()(i, f);
          }
        }
      CHECK(largest_difference(kx.flat(), expected_kx.flat()) < 1e-12);
      CHECK(largest_difference(kty.flat(), expected_kty.flat()) < 1e-12);

      const auto half = padded(arena, kKeys, 0.5), column_sum = padded(arena, kKeys, 7.0);
      const auto column_sums_of = [&](const std::vector<double>& weights) {
        std::vector<double> expected(kKeys);
        for (std::int64_t i = 0; i < n; ++i)
          for (std::int64_t j = 0; j < kKeys; ++j) expected[j] += weights[i] * naive.rows()(i, j);
        return expected;
      };
      gibbs.scaling_sweep(half, u, column_sum);
      for (std::int64_t i = 0; i < n; ++i) w[i] = 1 / row_products[i];
      CHECK(largest_difference(u, w) < 1e-12);
      CHECK(largest_difference(column_sum, column_sums_of(w)) < 1e-12);
      gibbs.adjoint_sweep(half, factor, u, column_sum);
      for (std::int64_t i = 0; i < n; ++i) w[i] = -2 * row_products[i];
      CHECK(largest_difference(u, w) < 1e-12);
      CHECK(largest_difference(column_sum, column_sums_of(w)) < 1e-12);
      gibbs.weighted_column_sum(factor, column_sum);
      CHECK(largest_difference(column_sum, column_sums_of(factor)) < 1e-12);

      std::int64_t next = 0;
      gibbs.for_each_cached_block([&](std::int64_t first, MatrixView<const double> rows) {
        CHECK(first == next);
        CHECK(rows.rows <= 32);
        next = first + rows.rows;
        for (std::int64_t i = 0; i < rows.rows; ++i)
          CHECK(largest_difference(rows.row(i), naive.rows().row(first + i)) < 1e-12);
      });
      CHECK(next == n);
    }
}

TEST_CASE("a head that does not keep its Gibbs kernel takes memory for scalings alone") {
  const RandomHead c = random_head(500, kKeys, 3, 2.0);
  const AttentionHead<double> head{c.q.rows(), c.k.rows(), c.v.rows(), c.scale};
  Tensor<double> output({500, 8});
  const auto peak = [&](GibbsLifetime lifetime, int heads) {
    Arena arena;
    for (int h = 0; h < heads; ++h)
      sinkhorn_attention<double>(head, 10, output.rows(), arena, lifetime);
    return arena.peak_bytes();
  };
  const std::size_t kernel = 500 * kKeys * sizeof(double);
  const auto left_behind = [&](GibbsLifetime lifetime) {
    return peak(lifetime, 2) - peak(lifetime, 1);
  };
  CHECK(left_behind(GibbsLifetime::kept) > kernel);
  CHECK(left_behind(GibbsLifetime::released) < kernel / 10);
  CHECK(left_behind(GibbsLifetime::blocks) < kernel / 10);
  CHECK(peak(GibbsLifetime::released, 1) > kernel);
  CHECK(peak(GibbsLifetime::blocks, 1) < kernel / 4);
}

TEST_CASE("the longer a Gibbs kernel, the shorter its life") {
  CHECK(best_lifetime(196, 196, sizeof(float)) == GibbsLifetime::kept);
  CHECK(best_lifetime(4096, 4096, sizeof(float)) == GibbsLifetime::released);
  CHECK(best_lifetime(4096, 4097, sizeof(float)) == GibbsLifetime::blocks);
}
