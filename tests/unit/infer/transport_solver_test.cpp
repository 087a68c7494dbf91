#include "infer/transport_solver.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "support/matching_pairs.h"
#include "tensor/core/tensor.h"

using namespace asap;
using namespace asap::infer;
using namespace asap::test;

namespace {

using Kind = TransportSolver::Kind;

/// Predicts the first row dual, which is feature 0: closing it is the first iteration.
const attention::TransportMap kFirstDual{.weights = {1}};

tensor::Tensor<float> narrow(const tensor::Tensor<double>& x) {
  tensor::Tensor<float> out(x.shape());
  for (std::int64_t k = 0; k < std::ssize(x.flat()); ++k) out[k] = static_cast<float>(x[k]);
  return out;
}

tensor::Tensor<float> solved(const MatchingPair& pair, const TransportSolver& solver,
                             attention::PolishEvidence* evidence = nullptr) {
  const tensor::Tensor<float> scores = narrow(pair.scores);
  tensor::Tensor<float> plan({scores.shape()[0] + 1, scores.shape()[1] + 1});
  tensor::Arena arena;
  const auto said =
      solve_transport(scores.rows(), static_cast<float>(pair.bin), solver, plan.rows(), arena);
  if (evidence) *evidence = said;
  return plan;
}

/// The plan after iterations from g = 0, in double.
tensor::Tensor<double> looped(const MatchingPair& pair, int iterations) {
  const std::int64_t n = std::ssize(pair.rows), m = std::ssize(pair.columns);
  const attention::TransportProblem<double> problem = pair.problem();
  std::vector<double> f(static_cast<std::size_t>(n)), g(static_cast<std::size_t>(m), 0.0);
  const auto update_rows = [&] {
    for (std::int64_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::int64_t j = 0; j < m; ++j) sum += std::exp(problem.score(i, j) + g[j]);
      f[i] = std::log(pair.rows[i]) - std::log(sum);
    }
  };
  update_rows();
  for (int t = 0; t < iterations; ++t) {
    for (std::int64_t j = 0; j < m; ++j) {
      double sum = 0;
      for (std::int64_t i = 0; i < n; ++i) sum += std::exp(problem.score(i, j) + f[i]);
      g[j] = std::log(pair.columns[j]) - std::log(sum);
    }
    update_rows();
  }
  tensor::Tensor<double> plan({n, m});
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < m; ++j)
      plan.rows()(i, j) = std::exp(problem.score(i, j) + f[i] + g[j]);
  return plan;
}

double mean_l1(const tensor::Tensor<float>& plan, const tensor::Tensor<double>& expected) {
  double sum = 0;
  for (std::int64_t k = 0; k < std::ssize(plan.flat()); ++k)
    sum += std::abs(static_cast<double>(plan[k]) - expected[k]);
  return sum / static_cast<double>(plan.shape()[0]);
}

}  // namespace

TEST_CASE("loops of a matcher's transport are those of a naive loop in double") {
  const MatchingPair pair = matching_pair(1);
  for (const int iterations : {0, 1, 7})
    CHECK(mean_l1(solved(pair, {.iterations = iterations}), looped(pair, iterations)) < 1e-4);
}

TEST_CASE("a map that predicts the first row dual is one iteration of the loop, then more") {
  // Closing the dual of g = 0 is the first iteration.
  const MatchingPair pair = matching_pair(2);
  for (const int more : {0, 1, 4})
    CHECK(mean_l1(solved(pair, {.kind = Kind::compiled, .iterations = more, .map = &kFirstDual}),
                  looped(pair, 1 + more)) < 1e-4);
}

TEST_CASE("the sparse polish comes to the plan of as many iterations, but for what it dropped") {
  const MatchingPair pair = matching_pair(3);
  attention::PolishEvidence evidence;
  const tensor::Tensor<float> plan =
      solved(pair, {.kind = Kind::sparse, .iterations = 100, .map = &kFirstDual}, &evidence);
  CHECK(evidence.polished);
  CHECK(evidence.entries_per_row < static_cast<double>(pair.scores.shape()[1]));
  std::int64_t zeros = 0;
  for (const float entry : plan.flat()) zeros += entry == 0 ? 1 : 0;
  const double points = static_cast<double>(pair.scores.shape()[0]);
  CHECK(static_cast<double>(std::ssize(pair.scores.flat()) - zeros) ==
        doctest::Approx(evidence.entries_per_row * points));
  CHECK(mean_l1(plan, looped(pair, 101)) < 0.02);
}

TEST_CASE("where the polish would drop too much, all entries are iterated on") {
  constexpr std::int64_t kColumns = 12000;
  // A point whose mass goes to 12,000 others, none of which is kept, and one that keeps a single
  // entry.
  for (const double first_score : {0, 3}) {
    MatchingPair pair{.scores = tensor::Tensor<double>({1, kColumns}), .bin = 0};
    pair.scores[0] = first_score;
    const TransportSolver sparse{.kind = Kind::sparse, .iterations = 3, .map = &kFirstDual};
    attention::PolishEvidence evidence{.polished = true};
    const tensor::Tensor<float> plan = solved(pair, sparse, &evidence);
    CHECK_FALSE(evidence.polished);
    const tensor::Tensor<float> dense =
        solved(pair, {.kind = Kind::compiled, .iterations = 3, .map = &kFirstDual});
    CHECK(std::ranges::equal(plan.flat(), dense.flat()));
    CHECK(plan[1] > 0);
  }
}
