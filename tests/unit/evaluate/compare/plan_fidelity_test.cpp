#include "evaluate/compare/plan_fidelity.h"

#include <cmath>

#include <doctest/doctest.h>

#include "attention/interface/attention_batch.h"
#include "attention/interface/attention_operator.h"
#include "attention/kinds/attention_kinds.h"
#include "attention/operators/kind_operator.h"
#include "base/random.h"
#include "transport/marginals.h"

using namespace asap::attention;
using namespace asap::base;
using namespace asap::evaluate;
using namespace asap::tensor;
using namespace asap::transport;

namespace {

AttentionBatch<float> random_batch(Tensor<float>& q, Tensor<float>& k, Tensor<float>& v) {
  RandomStream random(5, RandomPurpose::test);
  for (Tensor<float>* tensor : {&q, &k, &v})
    for (float& value : tensor->flat()) value = static_cast<float>(random.normal());
  return {q.rows(), k.rows(), v.rows(), 2, 2, {}, {}};
}

}  // namespace

TEST_CASE("plan distance and column error equal what the plans themselves say, padding included") {
  constexpr std::int64_t kTokens = 6, kHeads = 2, kWidth = 8, kExamples = 2;
  Tensor<float> q({kExamples * kTokens, kWidth}), k(q.shape()), v(q.shape()), output(q.shape());
  AttentionBatch<float> batch = random_batch(q, k, v);
  const std::vector<std::int32_t> live = {6, 4};
  batch.live_queries = batch.live_keys = live;
  const std::vector<std::vector<float>> scales = {{0.7f, 0.3f}};
  const KindOperator teacher(make_sinkhorn_attention<float>(8), scales);
  const KindOperator softmax(make_softmax_attention<float>(), scales);

  const AttentionOperator* methods[] = {&softmax};
  const FidelityProbe probe(teacher, methods, 1, kHeads);
  Arena arena;
  probe.apply(0, batch, output.rows(), arena);

  for (std::int64_t head = 0; head < kHeads; ++head) {
    double distance = 0, column_error = 0;
    for (std::int64_t example = 0; example < kExamples; ++example) {
      const std::int64_t n = live[example];
      Tensor<float> expected({n, n}), actual({n, n});
      const AttentionHead<float> one{batch.head_queries(example, head),
                                     batch.head_keys(example, head),
                                     batch.head_values(example, head), scales[0][head]};
      teacher.kind().plan(one, expected.rows(), arena);
      softmax.kind().plan(one, actual.rows(), arena);
      for (std::int64_t i = 0; i < n * n; ++i)
        distance += std::abs(double{expected[i]} - double{actual[i]}) / static_cast<double>(n);
      column_error += marginal_errors<float>(actual.rows()).column_mean;
    }
    // Plans in float32 seen through a product with the identity: a few roundings per entry.
    CHECK(probe.sums()[0][0][head].plan_l1 == doctest::Approx(distance).epsilon(1e-5));
    CHECK(probe.sums()[0][0][head].column_error == doctest::Approx(column_error).epsilon(1e-5));
  }
}
