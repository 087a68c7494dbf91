#include <cmath>

#include <doctest/doctest.h>

#include "attention/stored/sinkhorn_attention.h"
#include "attention/stored/softmax_attention.h"
#include "base/random.h"
#include "tensor/core/tensor.h"
#include "tensor/kernels/bfloat16_gemm.h"

using namespace asap::attention;
using namespace asap::base;
using namespace asap::tensor;

namespace {

constexpr std::int64_t kTokens = 70, kWidth = 16;

Tensor<float> random_tokens(std::uint32_t which) {
  Tensor<float> out({kTokens, kWidth});
  RandomStream random(5, RandomPurpose::test, which);
  for (float& value : out.flat()) value = static_cast<float>(random.normal());
  return out;
}

/// The output of one head and its three gradients, one below the other: [4 N, D].
template <class Run>
Tensor<float> results(ProductPrecision precision, const Run& run) {
  const Tensor<float> q = random_tokens(1), k = random_tokens(2), v = random_tokens(3);
  const Tensor<float> gradient = random_tokens(4);
  AttentionHead<float> head{q.rows(), k.rows(), v.rows(), 0.5F};
  head.precision = precision;
  Tensor<float> all({4 * kTokens, kWidth});
  const auto part = [&](int index) {
    return all.rows().block(index * kTokens, 0, kTokens, kWidth);
  };
  run(head, part(0), gradient.rows(), HeadGradients<float>{part(1), part(2), part(3)});
  return all;
}

Tensor<float> sinkhorn(ProductPrecision precision, GibbsLifetime lifetime) {
  return results(precision, [&](const AttentionHead<float>& head, MatrixView<float> output,
                                MatrixView<const float> output_gradient,
                                const HeadGradients<float>& gradients) {
    Arena arena;
    SinkhornState<float> state = sinkhorn_attention<float>(head, 10, output, arena, lifetime);
    CHECK(!state.log_domain);
    sinkhorn_attention_vjp<float>(head, state, output, output_gradient, gradients, arena);
  });
}

Tensor<float> softmax(ProductPrecision precision) {
  return results(precision, [&](const AttentionHead<float>& head, MatrixView<float> output,
                                MatrixView<const float> output_gradient,
                                const HeadGradients<float>& gradients) {
    Arena arena;
    const MatrixView<float> plan = softmax_attention<float>(head, output, arena);
    softmax_attention_vjp<float>(head, plan, output_gradient, gradients, arena);
  });
}

/// |a - b| / |b| over output or one gradient.
double relative_difference(const Tensor<float>& a, const Tensor<float>& b, int part) {
  double difference = 0, size = 0;
  for (std::int64_t i = part * kTokens * kWidth; i < (part + 1) * kTokens * kWidth; ++i) {
    difference += std::pow(static_cast<double>(a[i]) - b[i], 2);
    size += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / size);
}

/// Rounding to bfloat16 moves every operand by up to 2^-9, and scores of up to about 8 move plan
/// entries by up to a few per cent each.
void check_rounded(const Tensor<float>& rounded, const Tensor<float>& exact) {
  for (int part = 0; part < 4; ++part) {
    CAPTURE(part);
    CHECK(relative_difference(rounded, exact, part) < 0.02);
    if (bfloat16_gemm()) CHECK(relative_difference(rounded, exact, part) > 1e-4);
  }
}

}  // namespace

TEST_CASE("stored attention in bfloat16 and its gradients are near those in float") {
  check_rounded(softmax(ProductPrecision::bfloat16), softmax(ProductPrecision::single));
  for (const GibbsLifetime lifetime :
       {GibbsLifetime::kept, GibbsLifetime::released, GibbsLifetime::blocks})
    check_rounded(sinkhorn(ProductPrecision::bfloat16, lifetime),
                  sinkhorn(ProductPrecision::single, GibbsLifetime::kept));
}

TEST_CASE("a Gibbs kernel that is computed again in bfloat16 is the same") {
  const Tensor<float> kept = sinkhorn(ProductPrecision::bfloat16, GibbsLifetime::kept);
  const Tensor<float> released = sinkhorn(ProductPrecision::bfloat16, GibbsLifetime::released);
  for (std::int64_t i = 0; i < kept.size(); ++i) REQUIRE(kept[i] == released[i]);
}

TEST_CASE("sums to which the plan of Sinkhorn attention adds up are not rounded") {
  const Tensor<float> q = random_tokens(1), k = random_tokens(2), v = random_tokens(3);
  AttentionHead<float> head{q.rows(), k.rows(), v.rows(), 0.5F};
  head.precision = ProductPrecision::bfloat16;
  Arena arena;
  Tensor<float> output({kTokens, kWidth}), plan({kTokens, kTokens});
  const SinkhornState<float> state = sinkhorn_attention<float>(head, 10, output.rows(), arena);
  sinkhorn_plan<float>(state, plan.rows());
  for (std::int64_t i = 0; i < kTokens; ++i) {
    double sum = 0;
    for (const float entry : plan.rows().row(i)) sum += entry;
    CHECK(sum == doctest::Approx(1).epsilon(1e-5));
  }
}
