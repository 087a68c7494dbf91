#include "autodiff/matching_ops.h"

#include <cmath>

#include <doctest/doctest.h>

#include "attention/kinds/attention_kinds.h"
#include "gradient/gradient_check.h"

using namespace asap;
using namespace asap::autodiff;
using namespace asap::test;

TEST_CASE("columns side by side have the right gradient") {
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return concat_columns(x[0], x[1]); },
                       {random_tensor({3, 2}, 1), random_tensor({3, 4}, 2)}) < kGradientTolerance);
  // The same matrix twice: its gradients add.
  CHECK(gradient_error([](TapeD&, const Leaves& x) { return concat_columns(x[0], x[0]); },
                       {random_tensor({3, 2}, 1)}) < kGradientTolerance);
}

TEST_CASE("attention between sets of different sizes has the right gradient") {
  const auto softmax = attention::make_softmax_attention<double>();
  attention::AttentionEvidence evidence;
  for (const auto& [n, m] : {std::pair{3, 5}, {5, 2}, {1, 1}})
    CHECK(gradient_error(
              [&](TapeD&, const Leaves& x) {
                return cross_attention<double>(x[0], x[1], 2, *softmax, evidence);
              },
              {random_tensor({n, 4}, 1), random_tensor({m, 8}, 2)}) < kGradientTolerance);
}

TEST_CASE("dual softmax follows its formula and has the right gradient") {
  const auto scores = random_tensor({2, 3}, 1);
  const auto u = random_tensor({2, 1}, 2), w = random_tensor({3, 1}, 3);
  TapeD tape;
  const Var<double> plan = log_dual_softmax_plan<double>(tape.leaf(scores.view()),
                                                         tape.leaf(u.view()), tape.leaf(w.view()));
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 3; ++j) {
      double row = 0, column = 0;
      for (std::int64_t k = 0; k < 3; ++k) row += std::exp(scores.rows()(i, k));
      for (std::int64_t k = 0; k < 2; ++k) column += std::exp(scores.rows()(k, j));
      const double entry = std::exp(scores.rows()(i, j));
      CHECK(std::exp(plan.value().rows()(i, j)) ==
            doctest::Approx(entry / row * entry / column * sigmoid(u[i]) * sigmoid(w[j])));
    }
  CHECK(std::exp(plan.value().rows()(1, 3)) == doctest::Approx(1 - sigmoid(u[1])));
  CHECK(std::exp(plan.value().rows()(2, 0)) == doctest::Approx(1 - sigmoid(w[0])));
  CHECK(gradient_error(
            [](TapeD&, const Leaves& x) { return log_dual_softmax_plan<double>(x[0], x[1], x[2]); },
            {scores, u, w}) < kGradientTolerance);
}

TEST_CASE("the loss of an assignment is the weighted sum of its entries, ignored points left out") {
  const std::vector<std::int32_t> rows{2, -1, -2, 0}, columns{3, -1, 0};
  const auto plan = random_tensor({5, 4}, 1);
  TapeD tape;
  const Var<double> loss = assignment_loss<double>(tape.leaf(plan.view()), {rows, columns}, 2);
  const auto& p = plan.rows();
  const double expected = -(.5 * (p(0, 2) + p(3, 0)) / 2 + .25 * p(1, 3) + .25 * p(4, 1)) / 2;
  CHECK(loss.value().data[0] == doctest::Approx(expected));
  CHECK(gradient_error(
            [&](TapeD&, const Leaves& x) {
              return assignment_loss<double>(x[0], {rows, columns}, 2);
            },
            {plan}) < kGradientTolerance);
}
