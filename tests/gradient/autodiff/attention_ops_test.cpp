#include "autodiff/attention_ops.h"

#include <doctest/doctest.h>

#include "attention/kinds/attention_kinds.h"
#include "gradient/gradient_check.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::test;

namespace {

using Leaves = std::vector<Var<double>>;

}  // namespace

TEST_CASE("packed attention has the right gradient, with padding and a learned epsilon") {
  const auto kind = make_sinkhorn_attention<double>(4);
  const std::vector<std::int32_t> live = {5, 3};
  for (const auto& lengths : {std::vector<std::int32_t>{}, live}) {
    AttentionEvidence evidence;
    CHECK(gradient_error(
              [&](Tape<double>&, const Leaves& x) {
                return attention<double>({x[0], x[1]}, {2, lengths}, *kind, evidence);
              },
              {random_tensor({2, 5, 24}, 1), random_tensor({2}, 2, 0.3)}) < kGradientTolerance);
  }
}
