#include <doctest/doctest.h>

#include "autodiff/matmul_ops.h"
#include "gradient/gradient_check.h"

using namespace asap::autodiff;
using namespace asap::test;

TEST_CASE("a value used twice collects both gradients") {
  CHECK(gradient_error(
            [](TapeD&, const Leaves& x) {
              return add(matmul(x[0], x[0]), add(gelu(x[0]), scale(x[0], 3.0)));
            },
            {random_tensor({4, 4}, 1)}) < kGradientTolerance);
}

TEST_CASE("a gradient that two summands share is copied before one of them collects more") {
  CHECK(gradient_error(
            [](TapeD&, const Leaves& x) {
              const Var<double> sum = add(x[0], x[1]);
              const Var<double> residual = add(sum, gelu(sum));
              return add(add(residual, x[0]), matmul(x[1], add(residual, residual)));
            },
            {random_tensor({4, 4}, 1), random_tensor({4, 4}, 2)}) < kGradientTolerance);
}
