#include "attention/transport/transport_layer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "unit/attention/transport/weighted_problem.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// Largest difference of two logs of plans, relative to the largest number that was added up, a
/// score or a result; infinities must be in the same places.
template <class T>
double difference(const WeightedProblem<T>& problem, const std::vector<T>& actual, int iterations) {
  const std::vector<double> expected = problem.log_plan(iterations);
  REQUIRE(actual.size() == expected.size());
  double largest = 0, magnitude = 1;
  for (const T score : problem.scores.flat())
    magnitude = std::max(magnitude, std::abs(double(score)));
  for (std::size_t k = 0; k < actual.size(); ++k) {
    if (std::isinf(expected[k])) {
      CHECK(double(actual[k]) == expected[k]);
      continue;
    }
    const double error = std::abs(double(actual[k]) - expected[k]);
    largest = std::isnan(error) ? INFINITY : std::max(largest, error);
    magnitude = std::max(magnitude, std::abs(expected[k]));
  }
  return largest / magnitude;
}

/// A few roundings of sums of a hundred terms, and three more of the fast exponential.
template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 1e-6 : 1e-13;

}  // namespace

TEST_CASE_TEMPLATE("the log of a plan equals plain loops in double, dustbins or not", T, float,
                   double) {
  for (const auto& size : std::vector<std::pair<int, int>>{{1, 1}, {5, 3}, {17, 40}, {64, 31}})
    for (const int iterations : {0, 1, 5, 30}) {
      CAPTURE(size.first);
      CAPTURE(iterations);
      const auto with_bins = dustbin_problem<T>(size.first, size.second, T(3));
      const auto weighted = weighted_problem<T>(size.first, size.second, T(3));
      for (const auto& problem : {with_bins, weighted}) {
        const TransportAnswer<T> actual = answer(problem, iterations);
        CHECK(!actual.log_domain);
        CHECK(difference(problem, actual.log_plan, iterations) < kTolerance<T>);
      }
    }
}

TEST_CASE_TEMPLATE("scores that range over hundreds are solved in the log domain", T, float,
                   double) {
  // All rows want one column: each iteration multiplies its scaling by about their number, until
  // the next best column or the dustbin is as good.
  const T size = sizeof(T) == 4 ? T(300) : T(3000);
  const int many = sizeof(T) == 4 ? 20 : 200;
  WeightedProblem<T> problem = dustbin_problem<T>(12, 9, T(1));
  for (std::int64_t i = 0; i < 12; ++i)
    for (std::int64_t j = 0; j < 9; ++j)
      problem.scores[i * 9 + j] += j == 4 ? size : T(i * j) * size / T(99);
  for (const int iterations : {0, 1, many}) {
    const TransportAnswer<T> actual = answer(problem, iterations);
    CHECK(actual.log_domain == (iterations == many));
    for (const T value : actual.log_plan) CHECK(std::isfinite(value));
    CHECK(difference(problem, actual.log_plan, iterations) < kTolerance<T>);
  }
}

TEST_CASE_TEMPLATE("a wide range of scores that the exp domain can hold stays in it", T, float,
                   double) {
  // Shifts of whole rows and columns cancel: what is left ranges over a few units.
  WeightedProblem<T> problem = weighted_problem<T>(20, 14, T(1));
  for (std::int64_t i = 0; i < 20; ++i)
    for (std::int64_t j = 0; j < 14; ++j) problem.scores[i * 14 + j] += T(40 * i) - T(25);
  const TransportAnswer<T> actual = answer(problem, 10);
  CHECK(!actual.log_domain);
  CHECK(difference(problem, actual.log_plan, 10) < kTolerance<T>);
}

TEST_CASE_TEMPLATE("a masked row or column is as if it were not there", T, float, double) {
  WeightedProblem<T> problem = dustbin_problem<T>(8, 6, T(2));
  WeightedProblem<T> smaller{Tensor<T>({7, 5}), {}, {}, problem.bin};
  problem.rows[2] = T(0);
  problem.columns[5] = T(0);
  for (std::int64_t i = 0; i < 9; ++i)
    if (i != 2) smaller.rows.push_back(problem.rows[i]);
  for (std::int64_t j = 0; j < 7; ++j)
    if (j != 5) smaller.columns.push_back(problem.columns[j]);
  for (std::int64_t i = 0; i < 7; ++i)
    for (std::int64_t j = 0; j < 5; ++j)
      smaller.scores[i * 5 + j] = problem.scores[(i < 2 ? i : i + 1) * 6 + j];
  // Whatever a masked token holds.
  for (std::int64_t j = 0; j < 6; ++j) problem.scores[2 * 6 + j] = T(1e30);
  for (std::int64_t i = 0; i < 8; ++i)
    problem.scores[i * 6 + 5] = -std::numeric_limits<T>::infinity();

  const std::vector<T> masked = answer(problem, 6).log_plan, plain = answer(smaller, 6).log_plan;
  std::size_t next = 0;
  for (std::int64_t i = 0; i < 9; ++i)
    for (std::int64_t j = 0; j < 7; ++j) {
      const T value = masked[i * 7 + j];
      if (i == 2 || j == 5)
        CHECK(value == -std::numeric_limits<T>::infinity());
      else
        CHECK(value == plain[next++]);
    }
}

TEST_CASE("with dustbins, rows sum to one and unmatched points go to the dustbin") {
  const auto problem = dustbin_problem<double>(30, 20, 4.0);
  const std::vector<double> plan = answer(problem, 200).log_plan;
  double into_bins = 0;
  for (std::int64_t i = 0; i < 31; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < 21; ++j) sum += std::exp(plan[i * 21 + j]);
    CHECK(sum == doctest::Approx(i < 30 ? 1 : 20).epsilon(1e-12));
    if (i < 30) into_bins += std::exp(plan[i * 21 + 20]);
  }
  CHECK(into_bins > 10);  // at least 30 - 20 points have no partner
  for (std::int64_t j = 0; j < 21; ++j) {
    double sum = 0;
    for (std::int64_t i = 0; i < 31; ++i) sum += std::exp(plan[i * 21 + j]);
    CHECK(sum == doctest::Approx(j < 20 ? 1 : 30).epsilon(1e-6));
  }
}

TEST_CASE("an empty set sends everything to the dustbin") {
  for (const auto& [n, m] : std::vector<std::pair<int, int>>{{0, 3}, {3, 0}, {0, 0}}) {
    const std::vector<double> plan = answer(dustbin_problem<double>(n, m, 1.0), 4).log_plan;
    for (std::int64_t i = 0; i <= n; ++i)
      for (std::int64_t j = 0; j <= m; ++j) {
        const double value = plan[i * (m + 1) + j];
        // The dustbin of the other set has mass 0: its corner is masked.
        if (i == n && j == m)
          CHECK(value == -std::numeric_limits<double>::infinity());
        else
          CHECK(value == doctest::Approx(0).epsilon(1e-12));
      }
  }
}

TEST_CASE("scores that are not numbers give a plan that says so") {
  WeightedProblem<float> problem = dustbin_problem<float>(4, 4, 1.0f);
  problem.scores[5] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> plan = answer(problem, 3).log_plan;
  CHECK(std::isnan(plan[6]));
}

TEST_CASE("marginals of another size are refused") {
  WeightedProblem<double> problem = weighted_problem<double>(3, 4, 1.0);
  problem.rows.pop_back();
  CHECK_THROWS_AS(answer(problem, 1), asap::base::InternalError);
}
