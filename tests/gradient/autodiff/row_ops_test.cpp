#include "autodiff/row_ops.h"

#include <doctest/doctest.h>

#include "gradient/gradient_check.h"

using namespace asap::autodiff;
using namespace asap::test;

TEST_CASE("layer norm has the right gradient in input, gain and offset") {
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return layer_norm(x[0], x[1], x[2]); },
                       {random_tensor({5, 19}, 1), random_tensor({19}, 2),
                        random_tensor({19}, 3)}) < kGradientTolerance);
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return layer_norm(x[0], x[1], x[2], 0.3); },
                       {random_tensor({5, 19}, 1), random_tensor({19}, 2),
                        random_tensor({19}, 3)}) < kGradientTolerance);
}

TEST_CASE("softmax and log-sum-exp over rows have the right gradient") {
  const auto input = random_tensor({2, 3, 19}, 1, 2.0);
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return softmax_rows(x[0]); }, {input}) <
        kGradientTolerance);
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return log_sum_exp_rows(x[0]); }, {input}) <
        kGradientTolerance);
}

TEST_CASE("cross-entropy has the right gradient, with and without label smoothing") {
  const std::vector<std::int32_t> labels = {2, 0, 4};
  for (const double smoothing : {0.0, 0.1})
    CHECK(gradient_error(
              [&](TapeD&, const Leaves& x) { return cross_entropy(x[0], labels, smoothing, 7.0); },
              {random_tensor({3, 5}, 1)}) < kGradientTolerance);
}
