#include "autodiff/token_ops.h"

#include <doctest/doctest.h>

#include "gradient/gradient_check.h"

using namespace asap::autodiff;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("embedding adds the gradients of repeated indices") {
  const std::vector<std::int32_t> indices = {1, 3, 1, 0};
  CHECK(gradient_error([&](TapeD&, const Leaves& x) { return embedding(x[0], indices); },
                       {random_tensor({4, 3}, 1)}) < kGradientTolerance);
}

TEST_CASE("mean pooling has the right gradient and ignores padding") {
  const std::vector<std::int32_t> live = {3, 1};
  const auto input = random_tensor({2, 3, 5}, 1);
  const auto pool = [&](TapeD&, const Leaves& x) { return mean_pool(x[0], live); };
  CHECK(gradient_error(pool, {input}) < kGradientTolerance);
  Tensor<double> changed = input;
  for (std::int64_t i = 4 * 5; i < 6 * 5; ++i) changed[i] = 1e6;  // padding of the second example
  Tape<double> tape;
  CHECK(asap::test::evaluate(tape, pool, {input}) == asap::test::evaluate(tape, pool, {changed}));
}

TEST_CASE("token selection and prepending have the right gradient") {
  CHECK(gradient_error(
            [](TapeD&, const Leaves& x) {
              const Var<double> with_token = prepend_token(x[0], x[1]);
              return add(select_token(with_token, 0), select_token(with_token, 2));
            },
            {random_tensor({4}, 1), random_tensor({2, 3, 4}, 2)}) < kGradientTolerance);
}

TEST_CASE("a vector is added to the last tokens of each example, with the right gradient") {
  const std::vector<std::int64_t> first = {1, 3, 0};
  const Tensor<double> vector = random_tensor({4}, 1), x = random_tensor({3, 3, 4}, 2);
  const auto added = [&](TapeD&, const Leaves& leaves) {
    return add_to_last_tokens(leaves[0], leaves[1], first);
  };
  CHECK(gradient_error(added, {vector, x}) < kGradientTolerance);
  Tape<double> tape;
  const TensorView<const double> found =
      add_to_last_tokens(tape.leaf(vector.view()), tape.leaf(x.view()), first).value();
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const bool last = i / 4 % 3 >= first[static_cast<std::size_t>(i / 12)];
    CHECK(found.data[i] == x[i] + (last ? vector[i % 4] : 0));
  }
}
