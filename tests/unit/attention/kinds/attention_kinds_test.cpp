#include "attention/kinds/attention_kinds.h"

#include <doctest/doctest.h>

#include "attention/interface/trainable_attention.h"
#include "support/kind_case.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("ESPFormer's plan times the values is its output, and float follows double") {
  for (const auto& size : kSizes) {
    const auto n = size.first;
    const auto m = size.second;
    const KindCase c = random_kind_case(n, m, {});
    const Computed computed = compute(*make_espformer_attention<double>(0, {3, 0.4}), c);
    const auto entry = [&](std::int64_t i, std::int64_t j) { return computed.plan.rows()(i, j); };
    Matrix plan(n, std::vector<double>(m));
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < m; ++j) plan[i][j] = entry(i, j);
    CHECK(difference(computed.output, product(plan, c.v.rows(), 4)) < kTolerance);
  }
}

TEST_CASE("every kind gives zeros without keys, and nothing without queries") {
  const std::vector<std::unique_ptr<TrainableAttention<double>>> kinds = [] {
    std::vector<std::unique_ptr<TrainableAttention<double>>> out;
    out.push_back(make_sinkformer_attention<double>(3));
    out.push_back(make_espformer_attention<double>(0, {}));
    out.push_back(make_lotformer_attention<double>(2, 3));
    out.push_back(make_differential_attention<double>());
    return out;
  }();
  for (const auto& kind : kinds) {
    const KindCase c = random_kind_case(3, 3, kind->learned_shape(6));
    Tensor<double> output({3, 4}), gradient({3, 6}), d_learned(c.learned.shape());
    std::ranges::fill(output.flat(), 7.0);
    std::ranges::fill(gradient.flat(), 7.0);
    Arena arena;
    AttentionEvidence evidence;
    AttentionHead<double> head = c.head();
    head.keys = {c.k.data(), 0, 6};
    head.values = {c.v.data(), 0, 4};
    const auto state = kind->forward(head, output.rows(), arena, evidence);
    for (const double value : output.flat()) CHECK(value == 0);
    kind->vjp(head, state, output.rows(), c.v.rows(),
              {gradient.rows(), {nullptr, 0, 6}, {nullptr, 0, 4}, false, d_learned.rows()}, arena);
    for (const double value : gradient.flat()) CHECK(value == 0);

    head = c.head();
    head.queries = {c.q.data(), 0, 6};
    const MatrixView<double> nothing(output.data(), 0, 4);
    kind->vjp(head, kind->forward(head, nothing, arena, evidence), nothing, {output.data(), 0, 4},
              {{nullptr, 0, 6}, gradient.rows(), output.rows(), false, d_learned.rows()}, arena);
    for (const double value : gradient.flat()) CHECK(value == 0);
  }
}
