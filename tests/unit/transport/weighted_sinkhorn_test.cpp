#include "transport/weighted_sinkhorn.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "transport/sinkhorn_log.h"
#include "unit/transport/random_matrix.h"

using namespace asap::tensor;
using namespace asap::test;
using namespace asap::transport;

namespace {

const std::vector<double> kRows = {.1, .2, .3, .4}, kColumns = {.5, .25, .25};

}  // namespace

TEST_CASE("with equal weights every dual is that of the reference with uniform marginals") {
  const Tensor<double> scores = random_matrix(7, 5, 2.0, 1);
  const std::vector<double> rows(7, 1.0), columns(5, 7.0 / 5);
  const SinkhornTrace<double> expected = sinkhorn_log<double>(scores.rows(), {}, 4);
  for (const int iterations : {0, 1, 4}) {
    const WeightedDuals duals =
        weighted_sinkhorn({scores.rows(), rows, columns}, {.iterations = iterations});
    CHECK(duals.iterations == iterations);
    CHECK(!duals.converged);
    for (int i = 0; i < 7; ++i)
      CHECK(duals.rows[i] ==
            doctest::Approx(expected.row_duals.rows()(iterations, i)).epsilon(1e-13));
    if (iterations > 0)
      for (int j = 0; j < 5; ++j)
        CHECK(duals.columns[j] ==
              doctest::Approx(expected.column_duals.rows()(iterations - 1, j)).epsilon(1e-13));
  }
}

TEST_CASE("rows are exact after every iteration, columns in the limit") {
  const Tensor<double> scores = random_matrix(4, 3, 3.0, 2);
  const WeightedTransport problem{scores.rows(), kRows, kColumns};
  Tensor<double> plan({4, 3});
  weighted_plan(problem, weighted_sinkhorn(problem, {.iterations = 2}), plan.rows());
  CHECK(weighted_errors(problem, plan.rows()).rows < 1e-15);
  CHECK(weighted_errors(problem, plan.rows()).columns > 1e-6);
  const WeightedDuals duals = weighted_sinkhorn(problem, {.tolerance = 1e-13});
  CHECK(duals.converged);
  CHECK(duals.change <= 1e-13);
  weighted_plan(problem, duals, plan.rows());
  CHECK(weighted_errors(problem, plan.rows()).columns < 1e-12);
}

TEST_CASE("the optimum of relaxed sides satisfies f = -rho log(sum / a)") {
  const Tensor<double> scores = random_matrix(4, 3, 1.0, 3);
  const std::vector<double> more = {1.5, .75, .25};
  const WeightedTransport problem{scores.rows(), kRows, more, 2.5, 0.4};
  const WeightedDuals duals = weighted_sinkhorn(problem, {.tolerance = 1e-14});
  Tensor<double> plan({4, 3});
  weighted_plan(problem, duals, plan.rows());
  for (int i = 0; i < 4; ++i) {
    double sum = 0;
    for (int j = 0; j < 3; ++j) sum += plan.rows()(i, j);
    CHECK(duals.rows[i] == doctest::Approx(-2.5 * std::log(sum / kRows[i])).epsilon(1e-11));
  }
  for (int j = 0; j < 3; ++j) {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += plan.rows()(i, j);
    CHECK(duals.columns[j] == doctest::Approx(-0.4 * std::log(sum / more[j])).epsilon(1e-11));
  }
}

TEST_CASE("relaxation runs from free sides to exact ones") {
  const Tensor<double> scores = random_matrix(4, 3, 1.0, 4);
  const StoppingRule stop{.iterations = 200};
  const WeightedDuals exact = weighted_sinkhorn({scores.rows(), kRows, kColumns}, stop);
  const WeightedDuals stiff =
      weighted_sinkhorn({scores.rows(), kRows, kColumns, 1e9, WeightedTransport::kExact}, stop);
  const WeightedDuals free = weighted_sinkhorn({scores.rows(), kRows, kColumns, 0, 0}, stop);
  for (int i = 0; i < 4; ++i) {
    CHECK(stiff.rows[i] == doctest::Approx(exact.rows[i]).epsilon(1e-6));
    CHECK(free.rows[i] == 0);
  }
}

TEST_CASE("masked rows and columns carry nothing, whatever their scores") {
  Tensor<double> scores = random_matrix(4, 3, 1.0, 5);
  for (int j = 0; j < 3; ++j) scores.rows()(1, j) = std::nan("");
  const std::vector<double> rows = {.3, 0, .3, .4}, columns = {0, .5, .5};
  const WeightedTransport problem{scores.rows(), rows, columns};
  Tensor<double> plan({4, 3});
  weighted_plan(problem, weighted_sinkhorn(problem, {.iterations = 500}), plan.rows());
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 3; ++j) CHECK((plan.rows()(i, j) == 0) == (i == 1 || j == 0));
  CHECK(weighted_errors(problem, plan.rows()).columns < 1e-12);
}

TEST_CASE("scores that range over hundreds give finite duals with exact rows") {
  const Tensor<double> scores = random_matrix(4, 3, 400.0, 6);
  const WeightedTransport problem{scores.rows(), kRows, kColumns};
  Tensor<double> plan({4, 3});
  weighted_plan(problem, weighted_sinkhorn(problem, {.iterations = 50}), plan.rows());
  CHECK(weighted_errors(problem, plan.rows()).rows < 1e-12);
}

TEST_CASE("marginals that no plan can have are refused by name and number") {
  const Tensor<double> scores = random_matrix(4, 3, 1.0, 7);
  const auto solve = [&](const std::vector<double>& rows, double relaxation) {
    weighted_sinkhorn({scores.rows(), rows, kColumns, relaxation, relaxation}, {});
  };
  constexpr double kExact = WeightedTransport::kExact;
  using asap::base::DataError;
  expect_error<DataError>(
      [&] {
        solve({.1, -.2, .3, .4}, 1);
      },
      {"marginal 1 of the rows is -0.2", "0 masks"});
  expect_error<DataError>(
      [&] {
        solve({.1, .2, std::nan(""), .4}, 1);
      },
      {"marginal 2 of the rows is nan"});
  expect_error<DataError>(
      [&] {
        solve({.125, .25, .375, .5}, kExact);
      },
      {"sum to 1.25, those of the columns to 1", "`row_relaxation`"});
  CHECK_NOTHROW(solve({.125, .25, .375, .5}, 3));  // relaxed sides may have other totals
  expect_error<asap::base::UsageError>([&] { solve(kRows, -1); }, {"`row_relaxation` is -1"});
}
