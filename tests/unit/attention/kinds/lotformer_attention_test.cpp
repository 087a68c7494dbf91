#include <cmath>

#include <doctest/doctest.h>

#include "attention/kinds/attention_kinds.h"
#include "support/kind_case.h"
#include "tensor/kernels/elementwise.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("LOTFormer attention is two Sinkhorn plans glued at the pivots") {
  for (const int pivots : {1, 3, 8})
    for (const auto& size : kSizes) {
      const auto n = size.first;
      const auto m = size.second;
      CAPTURE(pivots);
      CAPTURE(n);
      const auto kind = make_lotformer_attention<double>(pivots, 4);
      const KindCase c = random_kind_case(n, m, kind->learned_shape(6));
      const Matrix to = sinkhorn_by_the_book(scores(c.q.rows(), c.learned.rows(), c.scale), 4);
      const Matrix from = sinkhorn_by_the_book(scores(c.learned.rows(), c.k.rows(), c.scale), 4);
      const Matrix plan = product(
          to, [&](std::size_t z, std::int64_t j) { return from[z][j]; }, m);
      const Computed computed = compute(*kind, c);
      CHECK(difference(computed.plan, plan) < kTolerance);
      CHECK(difference(computed.output, product(plan, c.v.rows(), 4)) < kTolerance);
      double error = 0;
      for (int j = 0; j < m; ++j) {
        double total = 0;
        for (const auto& row : plan) total += row[j];
        error += std::abs(total * m / n - 1) / m;
      }
      CHECK(computed.evidence.column_error_sum == doctest::Approx(error).epsilon(1e-9));
    }
}

TEST_CASE("converged LOTFormer plans are doubly stochastic and of the rank of their pivots") {
  const auto kind = make_lotformer_attention<double>(2, 300);
  const KindCase c = random_kind_case(6, 6, kind->learned_shape(6));
  const Tensor<double> plan = compute(*kind, c).plan;
  for (std::int64_t i = 0; i < 6; ++i) {
    double row = 0, column = 0;
    for (std::int64_t j = 0; j < 6; ++j) {
      row += plan.rows()(i, j);
      column += plan.rows()(j, i);
    }
    CHECK(row == doctest::Approx(1).epsilon(1e-12));
    CHECK(column == doctest::Approx(1).epsilon(1e-9));
  }
  // Of rank two, so that every minor of size three vanishes.
  const auto p = [&](int i, int j) { return plan.rows()(i, j); };
  CHECK(std::abs(p(0, 0) * (p(1, 1) * p(2, 2) - p(1, 2) * p(2, 1)) -
                 p(0, 1) * (p(1, 0) * p(2, 2) - p(1, 2) * p(2, 0)) +
                 p(0, 2) * (p(1, 0) * p(2, 1) - p(1, 1) * p(2, 0))) < 1e-14);
}
