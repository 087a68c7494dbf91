#include <doctest/doctest.h>

#include "attention/kinds/attention_kinds.h"
#include "support/kind_case.h"
#include "tensor/kernels/elementwise.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("Sinkformer attention computes what Sinkhorn attention computes") {
  for (const auto& size : kSizes) {
    const auto n = size.first;
    const auto m = size.second;
    const KindCase c = random_kind_case(n, m, {});
    const Computed computed = compute(*make_sinkformer_attention<double>(3), c);
    const Matrix plan = sinkhorn_by_the_book(scores(c.q.rows(), c.k.rows(), c.scale), 3);
    CHECK(difference(computed.plan, plan) < kTolerance);
    CHECK(difference(computed.output, product(plan, c.v.rows(), 4)) < kTolerance);
  }
}
