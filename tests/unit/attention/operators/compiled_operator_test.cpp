#include "attention/operators/compiled_operator.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/stored/sinkhorn_attention.h"
#include "support/compiled_problem.h"

namespace asap::test {
namespace {

attention::CompiledHead compiled_head(const CompiledProblem& p) {
  return {.features = p.features,
          .score_scale = static_cast<float>(p.scale),
          .query_slices = cast<float>(p.a),
          .key_slices = cast<float>(p.b),
          .weights = std::vector<float>(p.weights.begin(), p.weights.end())};
}

TEST_CASE("The operator runs every head of every example, and masked tokens are as if dropped") {
  const std::int64_t examples = 3, tokens = 10, heads = 2, width = 6;
  const CompiledProblem one = random_compiled_problem(4, 4, 3000),
                        two = random_compiled_problem(4, 4, 3100);
  const attention::CompiledOperator attention({{compiled_head(one), compiled_head(two)}});
  const std::vector<std::int32_t> live = {10, 7, 1};
  // Queries, keys and values packed side by side, as the network lays them out.
  const tensor::Tensor<float> packed =
      cast<float>(random_matrix(examples * tokens, 3 * heads * width, 1, 3200));
  const auto part = [&](std::int64_t index) {
    return packed.rows().block(0, index * heads * width, examples * tokens, heads * width);
  };
  const attention::AttentionBatch<float> batch{part(0), part(1), part(2), examples,
                                               heads,   live,    live};
  tensor::Tensor<float> output({examples * tokens, heads * width});
  for (float& value : output.flat()) value = 7;  // must be overwritten, padding included
  tensor::Arena scratch;
  attention.apply(0, batch, output.rows(), scratch);

  for (std::int64_t b = 0; b < examples; ++b)
    for (std::int64_t h = 0; h < heads; ++h) {
      CompiledProblem dropped = h == 0 ? one : two;
      const auto copy = [&](std::int64_t index) {
        tensor::Tensor<double> out({live[b], width});
        for (std::int64_t i = 0; i < live[b]; ++i)
          for (std::int64_t d = 0; d < width; ++d)
            out.rows()(i, d) = part(index)(b * tokens + i, h * width + d);
        return out;
      };
      dropped.q = copy(0), dropped.k = copy(1), dropped.v = copy(2);
      const tensor::Tensor<float> expected = run<float>(dropped).output;
      for (std::int64_t i = 0; i < tokens; ++i)
        for (std::int64_t d = 0; d < width; ++d) {
          const float actual = output.rows()(b * tokens + i, h * width + d);
          CHECK(std::abs(actual - (i < live[b] ? expected.rows()(i, d) : 0.0f)) < 1e-6f);
        }
    }
  CHECK(attention.log_domain_heads() == 0);
}

TEST_CASE("With a key bias, masked tokens are as if dropped, and without live keys all is zero") {
  CompiledProblem p = random_compiled_problem(4, 4, 3400);
  p.features.log_sum_exp = false;
  p.weights.pop_back();
  attention::CompiledHead head = compiled_head(p);
  head.mode = attention::CompiledMode::key_bias;
  const attention::CompiledOperator attention({{head}});
  const tensor::Tensor<float> tokens = cast<float>(random_matrix(9, 6, 1, 3500));
  const std::vector<std::int32_t> live_queries = {8}, live_keys = {5}, none = {0};
  tensor::Tensor<float> masked({9, 6}), dropped({8, 6});
  tensor::Arena scratch;
  attention.apply(0, {tokens.rows(), tokens.rows(), tokens.rows(), 1, 1, live_queries, live_keys},
                  masked.rows(), scratch);
  const tensor::MatrixView<const float> keys = tokens.rows().block(0, 0, 5, 6);
  attention.apply(0, {tokens.rows().block(0, 0, 8, 6), keys, keys, 1, 1}, dropped.rows(), scratch);
  for (std::int64_t i = 0; i < 9; ++i)
    for (std::int64_t d = 0; d < 6; ++d)
      CHECK(masked.rows()(i, d) == (i < 8 ? dropped.rows()(i, d) : 0.0f));
  attention.apply(0, {tokens.rows(), tokens.rows(), tokens.rows(), 1, 1, live_queries, none},
                  masked.rows(), scratch);
  for (const float value : masked.flat()) CHECK(value == 0.0f);
}

TEST_CASE("An example without live keys gives zero, and a dual of zero is the closure alone") {
  CompiledProblem p = random_compiled_problem(5, 8, 3300);
  p.features = attention::DualFeatures::none();
  p.weights.clear();
  const attention::CompiledOperator attention(
      {{attention::CompiledHead::zero_dual(static_cast<float>(p.scale))}});
  const tensor::Tensor<float> q = cast<float>(p.q), k = cast<float>(p.k), v = cast<float>(p.v);
  tensor::Tensor<float> output({5, 5});
  tensor::Arena scratch;
  attention.apply(0, {q.rows(), k.rows(), v.rows(), 1, 1}, output.rows(), scratch);
  CHECK(largest_difference(output, naive_attention(p, 0).output) < kFloatTolerance);

  const std::vector<std::int32_t> none = {0};
  attention.apply(0, {q.rows(), k.rows(), v.rows(), 1, 1, {}, none}, output.rows(), scratch);
  for (const float value : output.flat()) CHECK(value == 0.0f);
}

TEST_CASE("A head without a map runs the loop, and extra iterations lengthen it") {
  const CompiledProblem p = random_compiled_problem(9, 7, 3300);
  const tensor::Tensor<float> q = cast<float>(p.q), k = cast<float>(p.k), v = cast<float>(p.v);
  const attention::AttentionBatch<float> batch{q.rows(), k.rows(), v.rows(), 1, 1};
  const attention::CompiledHead loop{
      .mode = attention::CompiledMode::sinkhorn, .score_scale = 0.4F, .iterations = 3};
  tensor::Arena scratch;
  for (const int extra : {0, 2}) {
    tensor::Tensor<float> actual({9, 5}), expected({9, 5});
    attention::CompiledOperator({{loop}}, extra).apply(0, batch, actual.rows(), scratch);
    attention::sinkhorn_attention<float>({q.rows(), k.rows(), v.rows(), 0.4F}, 3 + extra,
                                         expected.rows(), scratch);
    CHECK(std::ranges::equal(actual.flat(), expected.flat()));
  }
}

TEST_CASE("The precision of a head is its own unless the operator has one") {
  const CompiledProblem p = random_compiled_problem(20, 20, 3400);
  const tensor::Tensor<float> q = cast<float>(p.q), k = cast<float>(p.k), v = cast<float>(p.v);
  const attention::AttentionBatch<float> batch{q.rows(), k.rows(), v.rows(), 1, 1};
  attention::CompiledHead rounded = compiled_head(p);
  rounded.precision = attention::ProductPrecision::bfloat16;
  const auto output = [&](const attention::CompiledOperator& attention) {
    tensor::Tensor<float> out({20, 5});
    tensor::Arena scratch;
    attention.apply(0, batch, out.rows(), scratch);
    return std::vector<float>(out.flat().begin(), out.flat().end());
  };
  using attention::CompiledOperator, attention::ProductPrecision;
  CHECK(output(CompiledOperator({{rounded}})) ==
        output(CompiledOperator({{compiled_head(p)}}, 0, ProductPrecision::bfloat16)));
  CHECK(output(CompiledOperator({{rounded}}, 0, ProductPrecision::single)) ==
        output(CompiledOperator({{compiled_head(p)}})));
}

}  // namespace
}  // namespace asap::test
