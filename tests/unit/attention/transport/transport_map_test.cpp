#include "attention/transport/transport_map.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "attention/transport/transport_layer.h"
#include "support/matching_pairs.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// Predicts the first row dual itself, so that its closure is the first iteration of all.
TransportMap first_dual_map() {
  TransportMap map;
  map.weights[0] = 1;
  return map;
}

template <class T>
std::vector<T> plan_of(const TransportProblem<T>& problem, const OwnDuals<T>& duals) {
  std::vector<T> plan(static_cast<std::size_t>(problem.rows() * problem.columns()));
  log_transport_plan<T>(problem, duals.view(), {plan.data(), problem.rows(), problem.columns()});
  return plan;
}

/// Largest difference of two logs of plans, relative to the largest magnitude of finite entries;
/// infinities must be in the same places.
template <class T>
double difference(const std::vector<T>& actual, const std::vector<T>& expected) {
  REQUIRE(actual.size() == expected.size());
  double largest = 0, magnitude = 1;
  for (std::size_t k = 0; k < actual.size(); ++k) {
    if (actual[k] == expected[k]) continue;
    const double error = std::abs(double(actual[k]) - double(expected[k]));
    largest = std::isfinite(error) ? std::max(largest, error) : INFINITY;
    magnitude = std::max(magnitude, std::abs(double(expected[k])));
  }
  return largest / magnitude;
}

template <class T>
void compare_with_iterations(const RoundedPair<T>& pair, bool log_domain, double tolerance) {
  Arena scratch;
  for (const int extra : {0, 1, 4}) {
    CAPTURE(extra);
    OwnDuals<T> compiled(pair.problem()), iterated(pair.problem());
    const auto evidence =
        compiled_transport<T>(pair.problem(), first_dual_map(), extra, compiled.view(), scratch);
    if (!log_domain) CHECK(!evidence.log_domain);
    transport<T>(pair.problem(), 1 + extra, iterated.view(), scratch);
    const std::vector<T> plan = plan_of(pair.problem(), compiled);
    CHECK(difference(plan, plan_of(pair.problem(), iterated)) < tolerance);
    double error = 0;
    const std::int64_t n = pair.problem().rows(), m = pair.problem().columns();
    for (std::int64_t j = 0; j + 1 < m; ++j) {
      double sum = 0;
      for (std::int64_t i = 0; i < n; ++i) sum += std::exp(double(plan[i * m + j]));
      error += std::abs(sum - 1) / static_cast<double>(m - 1);
    }
    CHECK(evidence.column_error == doctest::Approx(error).epsilon(100 * tolerance));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("closing the first row dual is the first iteration", T, float, double) {
  compare_with_iterations(RoundedPair<T>(matching_pair(1)), false, sizeof(T) == 4 ? 2e-6 : 1e-13);
}

TEST_CASE("the log domain closes what the exp domain cannot hold") {
  // Predicted duals that range over thousands, and scores over hundreds: the largest dual outweighs
  // all others in every column, where its own entry of K may be less than a float holds.
  TransportMap map;
  map.weights[13] = 20;
  MatchingPair exact = matching_pair(2);
  for (double& score : exact.scores.flat()) score = float(8 * score);
  const RoundedPair<float> pair(exact);
  Arena scratch;
  OwnDuals<float> duals(pair.problem());
  CHECK(compiled_transport<float>(pair.problem(), map, 0, duals.view(), scratch).log_domain);
  // The plan by plain loops.
  const auto problem = exact.problem();
  std::vector<double> f(problem.rows(), 0.0), g(problem.columns());
  for (std::int64_t i = 0; i + 1 < problem.rows(); ++i)
    f[i] = 20 * *std::ranges::max_element(exact.scores.rows().row(i));
  const auto lse = [](std::int64_t count, const auto& term) {
    double top = -INFINITY, sum = 0;
    for (std::int64_t k = 0; k < count; ++k) top = std::max(top, term(k));
    for (std::int64_t k = 0; k < count; ++k) sum += std::exp(term(k) - top);
    return top + std::log(sum);
  };
  for (std::int64_t j = 0; j < problem.columns(); ++j)
    g[j] = std::log(exact.columns[j]) -
           lse(problem.rows(), [&](std::int64_t i) { return problem.score(i, j) + f[i]; });
  const std::vector<float> plan = plan_of(pair.problem(), duals);
  for (std::int64_t i = 0; i < problem.rows(); ++i) {
    const double row = std::log(exact.rows[i]) - lse(problem.columns(), [&](std::int64_t j) {
                         return problem.score(i, j) + g[j];
                       });
    for (std::int64_t j = 0; j < problem.columns(); ++j) {
      const double expected_log = problem.score(i, j) + row + g[j];
      // Duals of some thousands in float: 2e-4 each.
      CHECK(std::abs(plan[i * problem.columns() + j] - expected_log) < 2e-3);
    }
  }
}

TEST_CASE("features are those of the definition") {
  const MatchingPair pair = matching_pair(3);
  const auto problem = pair.problem();
  Tensor<double> features({problem.scores.rows, kTransportFeatures});
  Arena scratch;
  transport_features<double>(problem, features.rows(), scratch);
  double bin = pair.bin + std::log(static_cast<double>(problem.columns()));
  bin = std::log(static_cast<double>(problem.scores.cols)) - bin;
  for (std::int64_t i = 0; i < problem.scores.rows; ++i) {
    double sum = std::exp(pair.bin);
    std::vector<double> row(problem.scores.row(i).begin(), problem.scores.row(i).end());
    for (const double score : row) sum += std::exp(score);
    std::ranges::sort(row, std::greater<>());
    const double z = -std::log(sum) - bin;
    const auto at = [&](int p) { return features.rows()(i, p); };
    CHECK(at(0) == doctest::Approx(z).epsilon(1e-12));
    for (int k = 0; k < 9; ++k)
      CHECK(at(1 + k) == doctest::Approx(std::max(0.0, z + 12 - 3 * k)).epsilon(1e-12));
    CHECK(at(10) == doctest::Approx(1 / (1 + std::exp(-z))).epsilon(1e-12));
    CHECK(at(11) == std::log(static_cast<double>(problem.scores.rows)));
    CHECK(at(12) == std::log(static_cast<double>(problem.scores.cols)));
    CHECK(at(13) == row[0]);
    CHECK(at(14) == row[1]);
    CHECK(at(15) == 1);
  }
}

TEST_CASE("masked points count for nothing, single and equal points are defined") {
  MatchingPair pair = matching_pair(4);
  const std::int64_t n = pair.scores.shape()[0], m = pair.scores.shape()[1];
  pair.rows[0] = 0;
  for (std::int64_t j = 1; j < m; ++j) pair.columns[j] = 0;
  for (std::int64_t i = 0; i < n; ++i) pair.scores[i * m] = 3;
  Tensor<double> features({n, kTransportFeatures});
  Arena scratch;
  transport_features<double>(pair.problem(), features.rows(), scratch);
  for (int p = 0; p < kTransportFeatures; ++p) CHECK(features.rows()(0, p) == 0);
  CHECK(features.rows()(1, 11) == std::log(static_cast<double>(n - 1)));
  CHECK(features.rows()(1, 12) == 0);
  CHECK(features.rows()(1, 13) == 3);
  CHECK(features.rows()(1, 14) == 3);
  OwnDuals<double> duals(pair.problem()), expected(pair.problem());
  compiled_transport<double>(pair.problem(), first_dual_map(), 2, duals.view(), scratch);
  transport<double>(pair.problem(), 3, expected.view(), scratch);
  CHECK(difference(plan_of(pair.problem(), duals), plan_of(pair.problem(), expected)) < 1e-13);
}

TEST_CASE("without points on one side everything goes to the dustbin") {
  for (const auto& [n, m] : {std::pair{0, 3}, std::pair{3, 0}, std::pair{0, 0}}) {
    const MatchingPair pair = pair_of_scores(Tensor<double>({n, m}));
    const TransportProblem<double> problem = pair.problem();
    OwnDuals<double> duals(problem);
    Arena scratch;
    compiled_transport<double>(problem, TransportMap(), 0, duals.view(), scratch);
    const std::vector<double> plan = plan_of(problem, duals);
    for (std::size_t k = 0; k + 1 < plan.size(); ++k) CHECK(std::abs(plan[k]) < 1e-12);
    CHECK(plan.back() == -INFINITY);
  }
}

TEST_CASE("a problem without dustbins is refused") {
  const MatchingPair pair = matching_pair(5);
  TransportProblem<double> problem = pair.problem();
  problem.bin.reset();
  const std::vector<double> rows(pair.rows.begin(), pair.rows.end() - 1);
  const std::vector<double> columns(pair.columns.begin(), pair.columns.end() - 1);
  problem.row_marginals = rows;
  problem.column_marginals = columns;
  OwnDuals<double> duals(problem);
  Arena scratch;
  CHECK_THROWS_AS(compiled_transport<double>(problem, TransportMap(), 0, duals.view(), scratch),
                  asap::base::InternalError);
}
