#include "evaluate/study/plan_measures.h"

#include <cmath>

#include <doctest/doctest.h>

#include "attention/interface/trainable_attention.h"
#include "attention/kinds/attention_kinds.h"
#include "base/random.h"
#include "tensor/core/tensor.h"
#include "transport/marginals.h"

using namespace asap::attention;
using namespace asap::base;
using namespace asap::evaluate;
using namespace asap::tensor;
using namespace asap::transport;

namespace {

Tensor<float> matrix(std::int64_t rows, std::int64_t cols, std::vector<float> values) {
  Tensor<float> out({rows, cols});
  std::ranges::copy(values, out.data());
  return out;
}

Tensor<float> random_matrix(std::int64_t rows, std::int64_t cols, std::uint32_t which) {
  Tensor<float> out({rows, cols});
  RandomStream random(3, RandomPurpose::test, which);
  for (float& value : out.flat()) value = static_cast<float>(random.normal());
  return out;
}

}  // namespace

TEST_CASE("uniform plans have entropy one and no sink, a plan of one key nothing but a sink") {
  const Tensor<float> uniform = matrix(2, 4, std::vector<float>(8, 0.25f));
  const PlanMeasures even = measure_plan(uniform.rows());
  CHECK(even.entropy == doctest::Approx(1));
  CHECK(even.sink_share == doctest::Approx(0.25));
  CHECK(even.sink_factor == doctest::Approx(1));
  CHECK(even.column_error == doctest::Approx(0));

  const Tensor<float> sink = matrix(2, 4, {0, 1, 0, 0, 0, 1, 0, 0});
  const PlanMeasures worst = measure_plan(sink.rows());
  CHECK(worst.entropy == 0);
  CHECK(worst.sink_share == 1);
  CHECK(worst.sink_factor == 4);
  // One column has 4 times its share, three have nothing.
  CHECK(worst.column_error == doctest::Approx((3.0 + 1 + 1 + 1) / 4));
}

TEST_CASE("plans with negative entries have the entropy of their absolute values") {
  const Tensor<float> signs = matrix(1, 2, {1, -1});
  CHECK(measure_plan(signs.rows()).entropy == doctest::Approx(1));
  CHECK(measure_plan(signs.rows()).sink_share == 0);  // there is no mass to share
}

TEST_CASE("score ranges and column errors are those of the plans that attention computes") {
  const Tensor<float> q = random_matrix(7, 3, 1), k = random_matrix(5, 3, 2);
  const Tensor<float> v = random_matrix(5, 2, 3);
  float least = 1e9f, most = -1e9f;
  for (int i = 0; i < 7; ++i)
    for (int j = 0; j < 5; ++j) {
      float score = 0;
      for (int d = 0; d < 3; ++d) score += 0.8f * q.rows()(i, d) * k.rows()(j, d);
      least = std::min(least, score);
      most = std::max(most, score);
    }
  Arena arena;
  CHECK(score_range(q.rows(), k.rows(), 0.8f, arena) == doctest::Approx(most - least));

  const std::vector<double> errors =
      column_errors_by_iteration({q.rows(), k.rows(), {}, 0.8f}, 6, arena);
  REQUIRE(errors.size() == 7);
  for (int t = 0; t <= 6; ++t) {
    Tensor<float> plan({7, 5});
    make_sinkhorn_attention<float>(t)->plan({q.rows(), k.rows(), v.rows(), 0.8f}, plan.rows(),
                                            arena);
    CHECK(std::abs(errors[t] - marginal_errors<float>(plan.rows()).column_mean) < 1e-5);
  }
}

TEST_CASE("the residual to rank one is zero for equal tokens and one for centred ones") {
  CHECK(rank_one_residual(matrix(3, 2, {1, 2, 1, 2, 1, 2}).rows()) == 0);
  CHECK(rank_one_residual(matrix(2, 2, {1, 2, -1, -2}).rows()) == doctest::Approx(1));
  CHECK(rank_one_residual(matrix(2, 2, {0, 0, 0, 0}).rows()) == 0);
  // Mean (2, 0), squares 1 + 9, deviations 1 + 1.
  CHECK(rank_one_residual(matrix(2, 2, {1, 0, 3, 0}).rows()) == doctest::Approx(std::sqrt(0.2)));
}
