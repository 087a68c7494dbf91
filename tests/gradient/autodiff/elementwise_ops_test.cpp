#include <doctest/doctest.h>

#include "autodiff/token_ops.h"
#include "gradient/gradient_check.h"

using namespace asap::autodiff;
using namespace asap::tensor;
using namespace asap::test;

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
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return gelu_erf(x[0]); }, {input}) <
        kGradientTolerance);
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return hyperbolic_tangent(x[0]); }, {input}) <
        kGradientTolerance);
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return exponential(x[0]); }, {input}) <
        kGradientTolerance);
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return scale(x[0], -2.5); }, {input}) <
        kGradientTolerance);
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
