#include <doctest/doctest.h>

#include "autodiff/matmul_ops.h"
#include "autodiff/row_ops.h"
#include "autodiff/token_ops.h"
#include "gradient/gradient_check.h"

using namespace asap::autodiff;
using namespace asap::tensor;
using namespace asap::test;

using Leaves = std::vector<Var<double>>;
using TapeD = Tape<double>;

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

TEST_CASE("add broadcasts missing and unit dimensions, and its gradient sums over them") {
  const std::vector<std::pair<Shape, Shape>> cases = {
      {{3, 4}, {3, 4}}, {{2, 3, 4}, {3, 4}}, {{2, 3, 4}, {4}},   {{2, 3, 1}, {2, 1, 4}},
      {{4}, {2, 3, 4}}, {{3, 1}, {2, 1, 5}}, {{2, 3, 4}, {1, 1}}};
  for (const auto& shapes : cases) {
    const auto a = shapes.first;
    const auto b = shapes.second;
    CAPTURE(a.text());
    CAPTURE(b.text());
    CHECK(gradient_error([](TapeD&, const Leaves& x) { return add(x[0], x[1]); },
                         {random_tensor(a, 1), random_tensor(b, 2)}) < kGradientTolerance);
  }
}

TEST_CASE("elementwise functions have the right gradient") {
  const auto input = random_tensor({3, 21}, 4);
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return gelu(x[0]); }, {input}) <
        kGradientTolerance);
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return relu(x[0]); }, {input}) <
        kGradientTolerance);
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return exponential(x[0]); }, {input}) <
        kGradientTolerance);
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return scale(x[0], -2.5); }, {input}) <
        kGradientTolerance);
}

TEST_CASE("layer norm has the right gradient in input, gain and offset") {
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return layer_norm(x[0], x[1], x[2]); },
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
  CHECK(asap::test::evaluate(tape, pool, {input}) ==
        asap::test::evaluate(tape, pool, {changed}));
}

TEST_CASE("token selection and prepending have the right gradient") {
  CHECK(gradient_error(
            [](TapeD&, const Leaves& x) {
              const Var<double> with_token = prepend_token(x[0], x[1]);
              return add(select_token(with_token, 0), select_token(with_token, 2));
            },
            {random_tensor({4}, 1), random_tensor({2, 3, 4}, 2)}) < kGradientTolerance);
}

TEST_CASE("dropout passes the gradient of what it kept, and its mask depends only on the key") {
  const DropoutKey key{.seed = 3, .step = 5, .first_example = 2, .op = 1};
  const auto input = random_tensor({4, 50}, 1);
  const auto drop = [&](TapeD&, const Leaves& x) { return dropout(x[0], 0.3, key); };
  CHECK(gradient_error(drop, {input}) < kGradientTolerance);

  Tape<double> tape;
  const Var<double> whole = dropout(tape.leaf(input.view()), 0.3, key);
  DropoutKey later = key;
  later.first_example += 2;  // the last two examples, as another shard would see them
  const TensorView<const double> tail(input.data() + 100, {2, 50});
  const Var<double> part = dropout(tape.leaf(tail), 0.3, later);
  int dropped = 0;
  for (std::int64_t i = 0; i < 200; ++i) dropped += whole.value().data[i] == 0 ? 1 : 0;
  for (std::int64_t i = 0; i < 100; ++i) CHECK(part.value().data[i] == whole.value().data[100 + i]);
  CHECK(dropped > 30);  // 200 values at rate .3: mean 60, deviation 6.5
  CHECK(dropped < 90);
}
