#include "transport/slack.h"

#include <cmath>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "transport/c_transform.h"
#include "transport/marginals.h"
#include "transport/sinkhorn_log.h"
#include "unit/transport/random_matrix.h"

namespace asap::test {
namespace {

using Vector = std::vector<double>;

/// Plain scalings of exp(scores), slack row included, in double.
tensor::Tensor<double> naive_plan(const tensor::Tensor<double>& scores, const Vector& slack_scores,
                                  double c, int iterations) {
  const std::int64_t n = scores.shape()[0], m = scores.shape()[1];
  Vector u(static_cast<std::size_t>(n)), v(static_cast<std::size_t>(m), 1.0);
  const auto rows = [&] {
    for (std::int64_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::int64_t j = 0; j < m; ++j) sum += std::exp(scores.rows()(i, j)) * v[j];
      u[i] = 1 / sum;
    }
  };
  rows();
  for (int t = 0; t < iterations; ++t) {
    double slack = 0;
    for (std::int64_t j = 0; j < m; ++j) slack += std::exp(slack_scores[j]) * v[j];
    for (std::int64_t j = 0; j < m; ++j) {
      double sum = c * static_cast<double>(n) / slack * std::exp(slack_scores[j]);
      for (std::int64_t i = 0; i < n; ++i) sum += u[i] * std::exp(scores.rows()(i, j));
      v[j] = (1 + c) * static_cast<double>(n) / static_cast<double>(m) / sum;
    }
    rows();
  }
  tensor::Tensor<double> plan({n, m});
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < m; ++j)
      plan.rows()(i, j) = u[i] * std::exp(scores.rows()(i, j)) * v[j];
  return plan;
}

TEST_CASE("Sinkhorn with slack equals plain scalings, with scores of the slack row and without") {
  const tensor::Tensor<double> scores = random_matrix(9, 6, 1, 2);
  const Vector zero(6, 0.0), tilted = {0.3, -1, 0.2, 2, -0.5, 0.1};
  for (const double c : {0.1, 1.0, 20.0})
    for (const bool has_scores : {false, true}) {
      const transport::Slack<double> slack{c, has_scores ? tensor::VectorView<const double>(tilted)
                                                         : tensor::VectorView<const double>()};
      const auto trace = transport::sinkhorn_log<double>(scores.rows(), {}, 4, slack);
      tensor::Tensor<double> plan({9, 6});
      transport::plan_from_duals<double>(scores.rows(), trace.row_duals.rows().row(4),
                                         trace.column_duals.rows().row(3), plan.rows());
      const tensor::Tensor<double> naive = naive_plan(scores, has_scores ? tilted : zero, c, 4);
      for (std::int64_t k = 0; k < plan.size(); ++k)
        CHECK(plan[k] == doctest::Approx(naive[k]).epsilon(1e-12));
    }
}

TEST_CASE("columns and slack row updated together agree with each other") {
  const tensor::Tensor<double> scores = random_matrix(9, 6, 2, 3);
  const Vector row_dual = {0.1, -2, 1, 0.4, -0.3, 2, 0, -1, 0.7};
  const Vector tilted = {0.3, -1, 0.2, 2, -0.5, 0.1};
  for (const double c : {1e-6, 0.5, 4.0, 1e6}) {
    const transport::Slack<double> slack{c, tilted};
    Vector together(6), apart(6);
    transport::column_c_transform<double>(scores.rows(), row_dual, together);
    apart = together;
    const double dual = transport::close_slack<double>(slack, 9, together);
    CHECK(transport::slack_dual<double>(slack, 9, together) == doctest::Approx(dual).epsilon(1e-9));
    transport::add_slack_to_columns<double>(slack, 9, dual, apart);
    for (std::size_t j = 0; j < 6; ++j) {
      CHECK(together[j] == apart[j]);
      // Column and slack row hold (1 + c) N / M together.
      double mass = std::exp(dual + tilted[j] + together[j]);
      for (std::int64_t i = 0; i < 9; ++i)
        mass +=
            std::exp(scores.rows()(i, static_cast<std::int64_t>(j)) + row_dual[i] + together[j]);
      CHECK(mass == doctest::Approx((1 + c) * 1.5).epsilon(1e-9));
    }
  }
}

TEST_CASE("ratios of any range have a solution") {
  // Sums that nothing but a search in logarithms reaches.
  const Vector sums = {0, 900, -900, 3, 40};
  for (const double c : {1e-3, 0.5, 30.0}) {
    Vector column(5);
    const double log_mass = std::log(7.0 / 5);
    for (std::size_t j = 0; j < 5; ++j) column[j] = log_mass - sums[j];
    const double dual = transport::close_slack<double>({c}, 7, column);
    double mass = 0;
    for (const double g : column) {
      CHECK(std::isfinite(g));
      mass += std::exp(dual + g);
    }
    CHECK(mass == doctest::Approx(7 * c).epsilon(1e-6));
  }
}

TEST_CASE("the scaling of the slack row solves its equation in float and double") {
  for (const double c : {1e-4, 0.3, 5.0, 1e5})
    for (const double spread : {0.0, 1.0, 6.0}) {
      Vector ratios(37);
      for (std::size_t j = 0; j < ratios.size(); ++j)
        ratios[j] = std::exp(spread * std::sin(static_cast<double>(j)));
      const std::vector<float> single(ratios.begin(), ratios.end());
      const double s = transport::slack_scaling<double>(c, ratios);
      const float of_float = transport::slack_scaling<float>(static_cast<float>(c), single);
      double kept = 0;
      for (const double ratio : ratios) kept += 1 / (1 + s * ratio);
      CHECK(kept == doctest::Approx(37 / (1 + c)).epsilon(1e-11));
      // For small c, 1 + c is rounded: an error of 2^-24 / c.
      CHECK(of_float == doctest::Approx(s).epsilon(1e-5 + 3e-7 / c));
    }
}

TEST_CASE("without slack nothing changes") {
  Vector column = {0.1, -3, 2};
  CHECK(transport::close_slack<double>({}, 4, column) == 0);
  CHECK(column == Vector{0.1, -3, 2});
}

}  // namespace
}  // namespace asap::test
