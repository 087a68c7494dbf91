#include "autodiff/transport_ops.h"

#include <doctest/doctest.h>

#include "gradient/gradient_check.h"

using namespace asap::autodiff;
using namespace asap::test;

namespace {

/// Replaces -infinity by 0, with gradient 0 there.
Var<double> finite(Var<double> x) {
  asap::tensor::TensorView<double> out = x.tape().allocate(x.shape());
  for (std::int64_t k = 0; k < out.size(); ++k)
    out.data[k] = std::isinf(x.value().data[k]) ? 0 : x.value().data[k];
  return x.tape().record(out, {x}, [](Pullback<double>& p) {
    const GradientSlot<double> slot = p.slot(0);
    for (std::int64_t k = 0; k < slot.view.size(); ++k)
      slot.view.data[k] = p.output_gradient().data[k] + (slot.accumulate ? slot.view.data[k] : 0);
  });
}

}  // namespace

TEST_CASE("the plan with dustbins has the right gradient to the scores and the dustbin's score") {
  for (const int iterations : {0, 1, 2, 7})
    for (const auto& shape : {std::pair{5, 3}, std::pair{4, 9}, std::pair{1, 1}}) {
      CAPTURE(iterations);
      TransportEvidence evidence;
      CHECK(gradient_error(
                [&](TapeD&, const Leaves& x) {
                  return log_dustbin_plan<double>(x[0], x[1], iterations, evidence);
                },
                {random_tensor({shape.first, shape.second}, 1, 2.0), random_tensor({1}, 2)}) <
            kGradientTolerance);
      CHECK(evidence.problems > 0);
      CHECK(evidence.log_domain_problems == 0);
    }
}

TEST_CASE("in the log domain the gradient is right as well") {
  // All rows want one column: its scaling grows sixfold with every iteration, until it is too large
  // even for a double.
  asap::tensor::Tensor<double> scores = random_tensor({6, 5}, 3);
  for (std::int64_t i = 0; i < 6; ++i) scores[i * 5 + 2] += 1500;
  TransportEvidence evidence;
  CHECK(gradient_error(
            [&](TapeD&, const Leaves& x) {
              return log_dustbin_plan<double>(x[0], x[1], 250, evidence);
            },
            {scores, random_tensor({1}, 4)}) < kGradientTolerance);
  CHECK(evidence.log_domain_problems == evidence.problems);
}

TEST_CASE("weights and masks have the right gradient, with dustbins and without") {
  const std::vector<double> rows = {.5, 0, .1, .2, .2}, columns = {.3, .3, 0, .4};
  TransportEvidence evidence;
  CHECK(gradient_error(
            [&](TapeD&, const Leaves& x) {
              return finite(log_transport_plan<double>(x[0], {}, {rows, columns}, 3, evidence));
            },
            {random_tensor({5, 4}, 5)}) < kGradientTolerance);
  CHECK(gradient_error(
            [&](TapeD&, const Leaves& x) {
              return finite(log_transport_plan<double>(x[0], x[1], {rows, columns}, 3, evidence));
            },
            {random_tensor({4, 3}, 6), random_tensor({1}, 7)}) < kGradientTolerance);
}

TEST_CASE("the gradient of empty sets is zero") {
  Tape<double> tape;
  TransportEvidence evidence;
  const asap::tensor::Tensor<double> none({0, 3}), z = random_tensor({1}, 8);
  const Var<double> bin = tape.leaf(z.view());
  tape.backward(
      weighted_sum(finite(log_dustbin_plan<double>(tape.leaf(none.view()), bin, 3, evidence))));
  CHECK(std::abs(tape.gradient_of(bin).data[0]) < 1e-12);
}
