#include "attention/operators/guarded_operator.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/stored/sinkhorn_attention.h"
#include "support/compiled_problem.h"

namespace asap::test {
namespace {

constexpr std::int64_t kExamples = 3, kTokens = 12, kWidth = 6, kHeads = 2;

attention::CompiledHead head_of(std::uint32_t id) {
  const CompiledProblem p = random_compiled_problem(4, 4, id);
  return {.features = p.features,
          .score_scale = static_cast<float>(p.scale),
          .query_slices = cast<float>(p.a),
          .key_slices = cast<float>(p.b),
          .weights = std::vector<float>(p.weights.begin(), p.weights.end())};
}

TEST_CASE("Every head of every example has a certificate, and only bad ones are iterated") {
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

  // The second head goes on wherever its error exceeds the one it has in the second example.
  // Sums in another order differ by rounding.
  const double limit = 1.0001 * certificates[1 * kHeads + 1].column_error;
  const attention::GuardedOperator guarded(heads, {{{}, {limit, 0, 2}}});
  std::vector<attention::ColumnCertificate> after(kExamples * kHeads);
  guarded.certify(0, batch, iterated.rows(), scratch, after);
  for (std::int64_t b = 0; b < kExamples; ++b) {
    CHECK(after[b * kHeads].iterations == 0);
    CHECK(after[b * kHeads].column_error == certificates[b * kHeads].column_error);
    const double before = certificates[b * kHeads + 1].column_error;
    CHECK(after[b * kHeads + 1].iterations == (before > limit ? 2 : 0));
    CHECK(after[b * kHeads + 1].column_error <= 1.0001 * before);
  }
  CHECK(!std::ranges::equal(output.flat(), iterated.flat()));
}

TEST_CASE("A cut loop is certified too, and beyond its guard the whole loop follows") {
  const attention::CompiledHead loop{.mode = attention::CompiledMode::sinkhorn,
                                     .score_scale = 0.4F,
                                     .teacher_iterations = 9,
                                     .iterations = 2};
  const tensor::Tensor<float> q = cast<float>(random_matrix(11, 6, 2, 4300)),
                              k = cast<float>(random_matrix(8, 6, 2, 4301)),
                              v = cast<float>(random_matrix(8, 5, 1, 4302));
  const attention::AttentionBatch<float> batch{q.rows(), k.rows(), v.rows(), 1, 1};
  tensor::Arena scratch;
  const auto run = [&](const attention::ColumnGuard& guard,
                       attention::ColumnCertificate& certificate) {
    tensor::Tensor<float> output({11, 5});
    attention::GuardedOperator({{loop}}, {{guard}})
        .certify(0, batch, output.rows(), scratch, {&certificate, 1});
    return output;
  };
  const auto expected = [&](int iterations) {
    tensor::Tensor<float> output({11, 5});
    attention::sinkhorn_attention<float>({q.rows(), k.rows(), v.rows(), 0.4F}, iterations,
                                         output.rows(), scratch);
    return output;
  };
  attention::ColumnCertificate certificate;
  CHECK(std::ranges::equal(run({}, certificate).flat(), expected(2).flat()));
  CHECK(certificate.column_error > 0);
  CHECK(certificate.iterations == 0);
  for (const bool restart : {false, true}) {
    const attention::ColumnGuard strict{certificate.column_error / 2, 0, 9, restart};
    attention::ColumnCertificate after;
    CHECK(std::ranges::equal(run(strict, after).flat(), expected(9).flat()));
    CHECK(after.iterations == 9);
    CHECK(after.column_error == certificate.column_error);
  }
}

TEST_CASE("A quantile is the smallest error that the share of the examples does not exceed") {
  const attention::ColumnErrors errors{{1, 2, 3, 4}, 0.5F};
  CHECK(errors.quantile(0) == 1);
  CHECK(errors.quantile(0.25) == 1);
  CHECK(errors.quantile(0.26) == 2);
  CHECK(errors.quantile(0.99) == 4);
  CHECK(errors.quantile(1) == 4);
  CHECK(!attention::ColumnErrors{}.measured());
}

}  // namespace
}  // namespace asap::test
