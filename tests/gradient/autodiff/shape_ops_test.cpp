#include <doctest/doctest.h>

#include "gradient/gradient_check.h"

using namespace asap::autodiff;
using namespace asap::test;

TEST_CASE("reshape, transpose and head splitting have the right gradient") {
  CHECK(gradient_error(
            [](TapeD&, const Leaves& x) {
              return gelu(transpose(reshape(x[0], {3, 2, 4}), 0, 2));
            },
            {random_tensor({2, 12}, 1)}) < kGradientTolerance);
  CHECK(gradient_error(
            [](TapeD&, const Leaves& x) { return merge_heads(gelu(split_heads(x[0], 3))); },
            {random_tensor({2, 4, 6}, 1)}) < kGradientTolerance);
}
