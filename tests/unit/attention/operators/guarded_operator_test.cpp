#include "attention/operators/guarded_operator.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/stored/sinkhorn_attention.h"
#include "attention/tiled/tiled_attention.h"
#include "base/error.h"
#include "support/compiled_problem.h"

namespace asap::test {
namespace {

using Rule = attention::HeadGuard::Rule;

constexpr std::int64_t kExamples = 3, kTokens = 12, kWidth = 6, kHeads = 2;

attention::CompiledHead head_of(std::uint32_t id) {
  const CompiledProblem p = random_compiled_problem(4, 4, id);
  return {.features = p.features,
          .score_scale = static_cast<float>(p.scale),
          .query_slices = cast<float>(p.a),
          .key_slices = cast<float>(p.b),
          .weights = std::vector<float>(p.weights.begin(), p.weights.end())};
}

TEST_CASE("Every head of every example has a certificate, and only bad ones are the teacher's") {
  const std::vector<std::vector<attention::CompiledHead>> heads = {{head_of(4000), head_of(4100)}};
  const tensor::Tensor<float> tokens =
      cast<float>(random_matrix(kExamples * kTokens, 3 * kHeads * kWidth, 1, 4200));
  const auto part = [&](std::int64_t index) {
    return tokens.rows().block(0, index * kHeads * kWidth, kExamples * kTokens, kHeads * kWidth);
  };
  const std::vector<std::int32_t> live = {12, 7, 9};
  const attention::AttentionBatch<float> batch{part(0), part(1), part(2), kExamples,
                                               kHeads,  live,    live};
  tensor::Tensor<float> output({kExamples * kTokens, kHeads * kWidth}), plain = output,
                                                                        iterated = output;
  std::vector<attention::ColumnCertificate> certificates(kExamples * kHeads);
  tensor::Arena scratch;
  const attention::GuardedOperator measures(heads, {{{}, {}}});
  measures.certify(0, batch, output.rows(), scratch, certificates);
  attention::CompiledOperator(heads).apply(0, batch, plain.rows(), scratch);
  CHECK(std::ranges::equal(output.flat(), plain.flat()));

  // The second head gives way wherever its bound exceeds the one it has in the second example.
  const double limit = certificates[1 * kHeads + 1].column_error;
  const attention::GuardedOperator guarded(heads, {{{}, {Rule::bounded, limit}}});
  std::vector<attention::ColumnCertificate> after(kExamples * kHeads);
  guarded.certify(0, batch, iterated.rows(), scratch, after);
  int left = 0;
  for (std::int64_t b = 0; b < kExamples; ++b) {
    CHECK(after[b * kHeads].iterations == 0);
    for (const std::int64_t h : {0, 1})
      CHECK(after[b * kHeads + h].column_error == certificates[b * kHeads + h].column_error);
    const bool beyond = certificates[b * kHeads + 1].column_error > limit;
    CHECK(after[b * kHeads + 1].iterations == (beyond ? heads[0][1].teacher_iterations : 0));
    left += beyond;
    tensor::Tensor<float> expected({kTokens, kWidth});
    attention::fastest_sinkhorn_attention({batch.head_queries(b, 1), batch.head_keys(b, 1),
                                           batch.head_values(b, 1), heads[0][1].score_scale},
                                          heads[0][1].teacher_iterations,
                                          expected.rows().block(0, 0, live[b], kWidth), scratch);
    const tensor::MatrixView<float> got = batch.head_output(iterated.rows(), b, 1),
                                    before = batch.head_output(plain.rows(), b, 1);
    for (std::int64_t i = 0; i < live[b]; ++i)
      for (std::int64_t d = 0; d < kWidth; ++d)
        if (beyond)  // short sequences run the loop on the kernel that they have, in other
                     // roundings
          CHECK(std::abs(got(i, d) - expected.rows()(i, d)) < 2e-6);
        else
          CHECK(got(i, d) == before(i, d));
  }
  CHECK(left > 0);
}

TEST_CASE("A head that runs the teacher's whole loop anyway does what it does without a guard") {
  for (const auto precision :
       {attention::ProductPrecision::single, attention::ProductPrecision::bfloat16}) {
    const attention::CompiledHead loop{.mode = attention::CompiledMode::sinkhorn,
                                       .score_scale = 0.4F,
                                       .teacher_iterations = 9,
                                       .iterations = 9,
                                       .precision = precision};
    const tensor::Tensor<float> x =
        cast<float>(random_matrix(kExamples * kTokens, kWidth, 1, 4850));
    const attention::AttentionBatch<float> batch{x.rows(), x.rows(), x.rows(), kExamples, 1};
    tensor::Tensor<float> output({kExamples * kTokens, kWidth}), plain = output;
    std::vector<attention::ColumnCertificate> certificates(kExamples);
    tensor::Arena scratch;
    attention::GuardedOperator({{loop}}, {{{Rule::bounded, 0}}})
        .certify(0, batch, output.rows(), scratch, certificates);
    attention::CompiledOperator({{loop}}).apply(0, batch, plain.rows(), scratch);
    CHECK(std::ranges::equal(output.flat(), plain.flat()));
    for (const attention::ColumnCertificate& one : certificates) {
      CHECK(std::isnan(one.column_error));
      CHECK(one.iterations == 0);
    }
  }
}

TEST_CASE("A relaxed loop whose start is beyond its limit is left to the teacher") {
  attention::CompiledHead head{
      .features = attention::DualFeatures::none(), .score_scale = 0.4F, .teacher_iterations = 9};
  head.features.start = true;
  head.features.corrections = 2;
  head.weights.assign(static_cast<std::size_t>(head.features.weight_count(0)), 0.1F);
  const tensor::Tensor<float> x = cast<float>(random_matrix(kExamples * kTokens, kWidth, 1, 4800));
  std::vector<attention::GuardedHeads> counts(kExamples);
  attention::AttentionBatch<float> batch{x.rows(), x.rows(), x.rows(), kExamples, 1};
  batch.guarded = counts;
  tensor::Tensor<float> output({kExamples * kTokens, kWidth}), expected = output;
  tensor::Arena scratch;
  std::vector<attention::ColumnCertificate> certificates(kExamples);
  attention::GuardedOperator({{head}}, {{{}}})
      .certify(0, batch, output.rows(), scratch, certificates);
  double limit = certificates[0].start_error;  // the smallest, so that others are beyond it
  for (const attention::ColumnCertificate& one : certificates)
    limit = std::min(limit, one.start_error);
  attention::GuardedOperator({{head}}, {{{.start_limit = limit}}})
      .certify(0, batch, output.rows(), scratch, certificates);
  int left = 0;
  for (std::int64_t b = 0; b < kExamples; ++b) {
    const bool beyond = certificates[b].start_error > limit;
    left += beyond;
    CHECK(certificates[b].iterations == (beyond ? 9 : 0));
    CHECK(counts[b].heads == 2);  // of both passes
    CHECK(counts[b].left == beyond);
    if (!beyond) continue;
    attention::fastest_sinkhorn_attention(
        {batch.head_queries(b, 0), batch.head_keys(b, 0), batch.head_values(b, 0), 0.4F}, 9,
        batch.head_output(expected.rows(), b, 0), scratch);
    for (std::int64_t i = 0; i < kTokens; ++i)
      for (std::int64_t d = 0; d < kWidth; ++d)
        CHECK(std::abs(output.rows()(b * kTokens + i, d) - expected.rows()(b * kTokens + i, d)) <
              2e-6);
  }
  CHECK(left > 0);
}

TEST_CASE("The first layers that ran nothing but the teacher's loops in float are counted") {
  const attention::CompiledHead map = [] {
    attention::CompiledHead head = head_of(4600);
    head.teacher_iterations = 9;
    return head;
  }();
  attention::CompiledHead rounded = map;
  rounded.precision = attention::ProductPrecision::bfloat16;
  const attention::CompiledHead loop{.mode = attention::CompiledMode::sinkhorn,
                                     .score_scale = 0.4F,
                                     .teacher_iterations = 9,
                                     .iterations = 9};
  const attention::HeadGuard never, always{.limit = 0}, whole{.rule = Rule::loop};
  const tensor::Tensor<float> x =
      cast<float>(random_matrix(kExamples * kTokens, 2 * kWidth, 1, 4900));
  tensor::Tensor<float> output({kExamples * kTokens, 2 * kWidth});
  tensor::Arena scratch;
  const auto layers_after = [&](const std::vector<attention::CompiledHead>& heads,
                                const std::vector<attention::HeadGuard>& guards,
                                std::int32_t before) {
    const attention::GuardedOperator guarded({heads, heads}, {guards, guards});
    std::vector<attention::GuardedHeads> counts(kExamples, {.teacher_layers = before});
    attention::AttentionBatch<float> batch{x.rows(), x.rows(), x.rows(), kExamples, 2};
    batch.guarded = counts;
    guarded.apply(1, batch, output.rows(), scratch);
    CHECK(counts[0].teacher_layers == counts[2].teacher_layers);
    return counts[0].teacher_layers;
  };
  CHECK(layers_after({map, map}, {always, always}, 1) == 2);
  CHECK(layers_after({map, map}, {always, always}, 0) == 0);  // layer 0 was not
  CHECK(layers_after({map, map}, {always, never}, 1) == 1);
  CHECK(layers_after({map, loop}, {whole, never}, 1) == 2);
  CHECK(layers_after({rounded, map}, {always, always}, 1) == 1);
  CHECK(layers_after({map, map}, {{Rule::warm, 0}, always}, 1) == 1);
}

TEST_CASE("Heads that a guard may leave to the teacher are counted by example, others are not") {
  const auto loop = [](int iterations) {
    return attention::CompiledHead{.mode = attention::CompiledMode::sinkhorn,
                                   .score_scale = 0.4F,
                                   .teacher_iterations = 9,
                                   .iterations = iterations};
  };
  attention::CompiledHead map = head_of(4600);
  map.teacher_iterations = 9;
  // Left, kept, left, and three that do not count: two whole loops, by rule and by choice, and one
  // that iterates to the teacher's error.
  const std::vector<attention::CompiledHead> heads = {map, map, loop(2), map, loop(9), map};
  const attention::GuardedOperator guarded({heads}, {{{Rule::bounded, 0},
                                                      {},
                                                      {Rule::bounded, 0},
                                                      {.rule = Rule::loop},
                                                      {Rule::bounded, 0},
                                                      {Rule::warm, 0}}});
  const auto count = std::ssize(heads);
  const tensor::Tensor<float> x =
      cast<float>(random_matrix(kExamples * kTokens, count * kWidth, 1, 4700));
  std::vector<attention::GuardedHeads> counts(kExamples, {10, 5});  // of an earlier layer
  attention::AttentionBatch<float> batch{x.rows(), x.rows(), x.rows(), kExamples, count};
  batch.guarded = counts;
  tensor::Tensor<float> output({kExamples * kTokens, count * kWidth}), plain = output;
  tensor::Arena scratch;
  guarded.apply(0, batch, output.rows(), scratch);
  for (const attention::GuardedHeads& one : counts) {
    CHECK(one.heads == 10 + 3);
    CHECK(one.left == 5 + 2);
  }
  guarded.apply(0, batch.example(1), plain.rows().block(0, 0, kTokens, count * kWidth), scratch);
  CHECK(counts[0].heads == 13);
  CHECK(counts[1].heads == 16);
  batch.guarded = {};
  guarded.apply(0, batch, plain.rows(), scratch);
  CHECK(std::ranges::equal(output.flat(), plain.flat()));
}

TEST_CASE("A guard keeps the precision of the layer") {
  for (const bool loop : {false, true}) {
    attention::CompiledHead head = head_of(4400);
    head.teacher_iterations = 6;
    if (loop) head.mode = attention::CompiledMode::sinkhorn, head.iterations = 3;
    head.precision = attention::ProductPrecision::bfloat16;
    const tensor::Tensor<float> q = cast<float>(random_matrix(48, 6, 2, 4500)),
                                k = cast<float>(random_matrix(40, 6, 2, 4501)),
                                v = cast<float>(random_matrix(40, 6, 1, 4502));
    const attention::AttentionBatch<float> batch{q.rows(), k.rows(), v.rows(), 1, 1};
    tensor::Arena scratch;
    tensor::Tensor<float> output({48, 6}), plain({48, 6});
    attention::GuardedOperator({{head}}, {{{}}}).apply(0, batch, output.rows(), scratch);
    attention::CompiledOperator({{head}}).apply(0, batch, plain.rows(), scratch);
    CHECK(std::ranges::equal(output.flat(), plain.flat()));
    attention::GuardedOperator({{head}}, {{{Rule::bounded, 0}}})
        .apply(0, batch, output.rows(), scratch);
    attention::fastest_sinkhorn_attention({q.rows(), k.rows(), v.rows(), head.score_scale}, 6,
                                          plain.rows(), scratch, head.precision);
    CHECK(std::ranges::equal(output.flat(), plain.flat()));
  }
}

TEST_CASE("A head may run the teacher's loop in float, and a loop is never warm") {
  const attention::CompiledHead loop{.mode = attention::CompiledMode::sinkhorn,
                                     .score_scale = 0.4F,
                                     .teacher_iterations = 9,
                                     .iterations = 2,
                                     .precision = attention::ProductPrecision::bfloat16};
  const tensor::Tensor<float> q = cast<float>(random_matrix(11, 6, 2, 4300)),
                              k = cast<float>(random_matrix(8, 6, 2, 4301)),
                              v = cast<float>(random_matrix(8, 5, 1, 4302));
  const attention::AttentionBatch<float> batch{q.rows(), k.rows(), v.rows(), 1, 1};
  tensor::Arena scratch;
  tensor::Tensor<float> output({11, 5}), expected({11, 5});
  attention::ColumnCertificate certificate;
  attention::GuardedOperator({{loop}}, {{{.rule = Rule::loop}}})
      .certify(0, batch, output.rows(), scratch, {&certificate, 1});
  CHECK(certificate.iterations == 9);
  attention::sinkhorn_attention<float>({q.rows(), k.rows(), v.rows(), 0.4F}, 9, expected.rows(),
                                       scratch);
  CHECK(std::ranges::equal(output.flat(), expected.flat()));
  CHECK_THROWS_AS(attention::GuardedOperator({{loop}}, {{{Rule::warm, 0.1}}}), base::InternalError);
}

TEST_CASE("A quantile is the smallest error that the share of the examples does not exceed") {
  const attention::ColumnErrors errors{.sorted = {1, 2, 3, 4}, .bounds = {5, 6}};
  CHECK(errors.quantile(0) == 1);
  CHECK(errors.quantile(0.25) == 1);
  CHECK(errors.quantile(0.26) == 2);
  CHECK(errors.quantile(0.99) == 4);
  CHECK(errors.quantile(1) == 4);
  CHECK(errors.bound_quantile(0.5) == 5);
  CHECK(errors.bound_quantile(0.51) == 6);
  CHECK(!attention::ColumnErrors{}.measured());
}

}  // namespace
}  // namespace asap::test
