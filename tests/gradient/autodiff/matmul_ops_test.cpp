#include "autodiff/matmul_ops.h"

#include <doctest/doctest.h>

#include "gradient/gradient_check.h"

using namespace asap::autodiff;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("matmul has the right gradient for every transposition, in two dimensions and batched") {
  for (const bool batched : {false, true})
    for (const Transpose ta : {Transpose::no, Transpose::yes})
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        Shape a, b;
        if (batched) {
          a.append(3);
          b.append(3);
        }
        a.append(ta == Transpose::no ? 2 : 4);
        a.append(ta == Transpose::no ? 4 : 2);
        b.append(tb == Transpose::no ? 4 : 5);
        b.append(tb == Transpose::no ? 5 : 4);
        const double error =
            gradient_error([=](TapeD&, const Leaves& x) { return matmul(x[0], x[1], ta, tb); },
                           {random_tensor(a, 1), random_tensor(b, 2)});
        CHECK(error < kGradientTolerance);
      }
}

TEST_CASE("linear has the right gradient in input, weight and bias") {
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return linear(x[0], x[1], x[2]); },
                       {random_tensor({2, 3, 4}, 1), random_tensor({5, 4}, 2),
                        random_tensor({5}, 3)}) < kGradientTolerance);
}
