#include "attention/transport/sparse_polish.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "attention/transport/transport_layer.h"
#include "support/matching_pairs.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// Duals after some iterations.
template <class T>
OwnDuals<T> iterated(const TransportProblem<T>& problem, int iterations) {
  OwnDuals<T> duals(problem);
  Arena scratch;
  transport<T>(problem, iterations, duals.view(), scratch);
  return duals;
}

template <class T>
double entry(const TransportProblem<T>& problem, const OwnDuals<T>& duals, std::int64_t i,
             std::int64_t j) {
  return std::exp(double(problem.score(i, j)) + double(duals.rows[i]) + double(duals.columns[j]));
}

}  // namespace

TEST_CASE_TEMPLATE("a polish that keeps everything continues the iterations", T, float, double) {
  const RoundedPair<T> pair(matching_pair(1));
  const auto problem = pair.problem();
  OwnDuals<T> duals = iterated(problem, 2);
  SparsePlan<T> plan;
  Arena arena;
  const PolishEvidence evidence =
      sparse_polish<T>(problem, {1e-30, 7, 0}, duals.view(), plan, arena);
  CHECK(evidence.polished);
  CHECK(evidence.iterations == 7);
  CHECK(evidence.entries_per_row == static_cast<double>(problem.scores.cols));
  const double tolerance = sizeof(T) == 4 ? 3e-5 : 1e-12;  // of exponentials of scores up to 20
  CHECK(evidence.most_dropped < tolerance);
  const OwnDuals<T> expected = iterated(problem, 9);
  for (std::int64_t i = 0; i < problem.rows(); ++i)
    for (std::int64_t j = 0; j < problem.columns(); ++j)
      CHECK(std::abs(entry(problem, duals, i, j) - entry(problem, expected, i, j)) <
            tolerance * std::max(1.0, entry(problem, expected, i, j)));
}

TEST_CASE("the plan holds what is above the threshold, rows exact, and its evidence is true") {
  const MatchingPair pair = matching_pair(2);
  const auto problem = pair.problem();
  const std::int64_t n = problem.scores.rows, m = problem.scores.cols;
  const OwnDuals<double> start = iterated(problem, 3);
  OwnDuals<double> duals = start;
  SparsePlan<double> plan;
  Arena arena;
  const SparsePolish polish{.threshold = 1e-3, .iterations = 50, .tolerance = 0};
  const PolishEvidence evidence = sparse_polish<double>(problem, polish, duals.view(), plan, arena);
  REQUIRE(evidence.polished);
  double dropped = 0, most = 0, dropped_after = 0, kept_count = 0;
  std::vector<double> columns(static_cast<std::size_t>(m), 0.0);
  for (std::int64_t i = 0; i < n; ++i) {
    double row = plan.row_bins[i], lost = 0;
    std::int64_t k = plan.row_starts[i];
    for (std::int64_t j = 0; j < m; ++j) {
      if (entry(problem, start, i, j) > polish.threshold) {
        REQUIRE(k < plan.row_starts[i + 1]);
        REQUIRE(plan.columns[k] == j);
        CHECK(plan.entries[k] == doctest::Approx(entry(problem, duals, i, j)).epsilon(1e-11));
        row += plan.entries[k];
        columns[j] += plan.entries[k++];
        kept_count += 1;
      } else {
        lost += entry(problem, start, i, j);
        dropped_after += entry(problem, duals, i, j) / static_cast<double>(n);
      }
    }
    CHECK(k == plan.row_starts[i + 1]);
    CHECK(row == doctest::Approx(1).epsilon(1e-12));
    dropped += lost / static_cast<double>(n);
    most = std::max(most, lost);
  }
  CHECK(evidence.entries_per_row == doctest::Approx(kept_count / static_cast<double>(n)));
  CHECK(evidence.dropped_mass == doctest::Approx(dropped).epsilon(1e-9));
  CHECK(evidence.most_dropped == doctest::Approx(most).epsilon(1e-9));
  CHECK(dropped > 1e-5);
  CHECK(dropped_after <= evidence.dropped_bound);
  CHECK(evidence.dropped_bound < 10 * dropped);
  double error = 0;
  for (std::int64_t j = 0; j < m; ++j) {
    columns[j] += plan.column_bins[j];
    error += std::abs(columns[j] - 1) / static_cast<double>(m);
  }
  CHECK(evidence.column_error == doctest::Approx(error).epsilon(1e-6));
  CHECK(error < 1e-4);
}

TEST_CASE_TEMPLATE("a polish stops at the first plan whose column error is small enough", T, float,
                   double) {
  const RoundedPair<T> pair(matching_pair(5));
  const auto problem = pair.problem();
  Arena arena;
  const auto polished = [&](int iterations, double tolerance) {
    OwnDuals<T> duals = iterated(problem, 1);
    SparsePlan<T> plan;
    return sparse_polish<T>(problem, {1e-4, iterations, tolerance}, duals.view(), plan, arena);
  };
  constexpr double kTolerance = 1e-3;
  const PolishEvidence evidence = polished(100, kTolerance);
  const int used = evidence.iterations;
  REQUIRE(used > 1);
  CHECK(used < 100);
  CHECK(evidence.column_error <= kTolerance);
  CHECK(polished(used - 1, 0).column_error > kTolerance);
  CHECK(polished(used, 0).column_error == evidence.column_error);
  CHECK(polished(100, 10).iterations == 0);
  CHECK(polished(3, 0).iterations == 3);
}

TEST_CASE("rows that keep more entries than there was room for are all kept") {
  constexpr std::int64_t kRows = 3, kColumns = 2000;  // 2,000 entries a row, each of about 1 / 2000
  const MatchingPair pair = pair_of_scores(Tensor<double>({kRows, kColumns}), -20);
  OwnDuals<double> duals = iterated(pair.problem(), 1);
  SparsePlan<double> plan;
  Arena arena;
  const PolishEvidence evidence =
      sparse_polish<double>(pair.problem(), {.threshold = 1e-6}, duals.view(), plan, arena);
  CHECK(evidence.entries_per_row == kColumns);
  CHECK(plan.row_starts.back() == kRows * kColumns);
  for (std::int64_t k = 0; k < kRows * kColumns; ++k) REQUIRE(plan.columns[k] == k % kColumns);
  CHECK(evidence.most_dropped < 1e-12);
}

TEST_CASE("rows that would keep nothing leave the duals as they came") {
  const MatchingPair pair = pair_of_scores(Tensor<double>({8, 8}), -60);
  OwnDuals<double> duals = iterated(pair.problem(), 1);
  const OwnDuals<double> before = duals;
  SparsePlan<double> plan;
  Arena arena;
  const PolishEvidence evidence =
      sparse_polish<double>(pair.problem(), {.threshold = 0.2}, duals.view(), plan, arena);
  CHECK(!evidence.polished);
  CHECK(evidence.entries_per_row == 0);
  CHECK(evidence.dropped_mass == doctest::Approx(1));
  CHECK(duals.rows == before.rows);
  CHECK(duals.columns == before.columns);
}

TEST_CASE("masked points have no entries, whatever their scores") {
  MatchingPair pair = matching_pair(3);
  const std::int64_t n = pair.scores.shape()[0], m = pair.scores.shape()[1];
  pair.rows[1] = 0;
  pair.columns[2] = 0;
  for (std::int64_t j = 0; j < m; ++j) pair.scores[m + j] = 1e30;
  for (std::int64_t i = 0; i < n; ++i) pair.scores[i * m + 2] = std::nan("");
  OwnDuals<double> duals = iterated(pair.problem(), 2);
  SparsePlan<double> plan;
  Arena arena;
  const PolishEvidence evidence =
      sparse_polish<double>(pair.problem(), {.tolerance = 1e-6}, duals.view(), plan, arena);
  CHECK(evidence.polished);
  CHECK(evidence.column_error <= 1e-6);
  CHECK(plan.row_starts[1] == plan.row_starts[2]);
  CHECK(plan.row_bins[1] == 0);
  CHECK(plan.column_bins[2] == 0);
  CHECK(std::ranges::find(plan.columns, 2) == plan.columns.end());
  for (const double value : plan.entries) CHECK(std::isfinite(value));
}

TEST_CASE("empty sets are polished to their dustbins") {
  for (const auto& [n, m] : {std::pair{0, 3}, std::pair{3, 0}, std::pair{0, 0}}) {
    const MatchingPair pair = pair_of_scores(Tensor<double>({n, m}));
    const TransportProblem<double> problem = pair.problem();
    OwnDuals<double> duals = iterated(problem, 1);
    SparsePlan<double> plan;
    Arena arena;
    sparse_polish<double>(problem, SparsePolish(), duals.view(), plan, arena);
    CHECK(std::ssize(plan.row_bins) == n);
    CHECK(std::ssize(plan.column_bins) == m);
    for (const double value : plan.row_bins) CHECK(value == doctest::Approx(1));
    for (const double value : plan.column_bins) CHECK(value == doctest::Approx(1));
    CHECK(plan.corner == 0);
  }
}
