#include <doctest/doctest.h>

#include "autodiff/matmul_ops.h"
#include "gradient/gradient_check.h"

using namespace asap::autodiff;
using namespace asap::tensor;
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

TEST_CASE("backward tells from which element on the gradients of parameters are final") {
  ParameterStore<double> store;
  const ParameterId first = store.add("first", {3, 3}, true);
  const ParameterId idle = store.add("idle", {2}, true);
  const ParameterId middle = store.add("middle", {3, 3}, true);
  const ParameterId last = store.add("last", {3}, true);
  const Tensor<double> weights = random_tensor({24}, 3);
  for (std::size_t i = 0; i < store.flat().size(); ++i)
    store.flat()[i] = weights.flat()[i % weights.flat().size()];

  const Tensor<double> input = random_tensor({3, 3}, 4);
  Tensor<double> column_of_ones({3, 1});
  std::ranges::fill(column_of_ones.flat(), 1);
  std::vector<double> gradients(store.flat().size(), -1);
  struct Call {
    std::size_t first;
    std::vector<double> gradients;
  };
  std::vector<Call> calls;
  TapeD tape;
  tape.bind(store, gradients, [&](std::size_t from) { calls.push_back({from, gradients}); });
  const Var<double> first_layer = tape.parameter(first);
  Var<double> x = gelu(matmul(tape.constant(input.view()), first_layer));
  const Var<double> weight = tape.parameter(middle), bias = tape.parameter(last);
  x = matmul(linear(x, weight, bias), weight);  // used twice
  const Var<double> ones = tape.constant(column_of_ones.view());
  tape.backward(matmul(matmul(ones, x, Transpose::yes), ones));

  const auto offset = [&](ParameterId id) {
    return static_cast<std::size_t>(store.entry(id).offset);
  };
  std::vector<std::size_t> firsts;
  for (const Call& call : calls) {
    if (firsts.empty() || firsts.back() != call.first) firsts.push_back(call.first);
    for (std::size_t i = call.first; i < gradients.size(); ++i)
      REQUIRE(call.gradients[i] == gradients[i]);
  }
  CHECK(firsts == std::vector<std::size_t>{gradients.size(), offset(last), offset(idle), 0});
  CHECK(gradients[offset(idle)] == 0);
}
