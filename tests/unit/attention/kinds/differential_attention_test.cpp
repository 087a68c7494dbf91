#include "attention/kinds/differential_attention.h"

#include <cmath>

#include <doctest/doctest.h>

#include "attention/kinds/attention_kinds.h"
#include "support/kind_case.h"
#include "tensor/kernels/elementwise.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("differential attention is what its definition says") {
  for (const auto& size : kSizes) {
    const auto n = size.first;
    const auto m = size.second;
    CAPTURE(n);
    CAPTURE(m);
    const auto kind = make_differential_attention<double>();
    const KindCase c = random_kind_case(n, m, kind->learned_shape(6));
    const auto half = [](const Tensor<double>& x, int which) {
      return x.rows().block(0, 3 * which, x.shape()[0], 3);
    };
    const auto softmax = [&](int which) {
      return sinkhorn_by_the_book(
          scores(half(c.q, which), half(c.k, which), c.scale * std::sqrt(2)), 0);
    };
    const auto l = c.learned.rows();
    double first = 0, second = 0;
    for (int k = 0; k < 3; ++k) {
      first += l(0, k) * l(1, k);
      second += l(2, k) * l(3, k);
    }
    const double start = 0.8 - 0.6 * std::exp(-0.3 * 2);
    CHECK(differential_lambda_init(2) == doctest::Approx(start));
    const double lambda = std::exp(first) - std::exp(second) + start;
    Matrix plan = softmax(0);
    const Matrix taken = softmax(1);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < m; ++j) plan[i][j] -= lambda * taken[i][j];
    Matrix output = product(plan, c.v.rows(), 4);
    for (auto& row : output) {
      double square = 0;
      for (const double x : row) square += x * x / 4;
      for (double& x : row) x *= (1 - start) / std::sqrt(square + 1e-5);
    }
    const Computed computed = compute(*kind, c);
    CHECK(difference(computed.plan, plan) < kTolerance);
    CHECK(difference(computed.output, output) < kTolerance);
  }
}
