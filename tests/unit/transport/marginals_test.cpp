#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"
#include "transport/sinkhorn_log.h"
#include "transport/slices.h"

namespace asap {
namespace {

tensor::Tensor<double> random_matrix(std::int64_t rows, std::int64_t cols, double size,
                                     std::uint32_t id) {
  base::RandomStream random(21, base::RandomPurpose::test, id);
  tensor::Tensor<double> out({rows, cols});
  for (double& value : out.flat()) value = size * random.normal();
  return out;
}

/// X Xᵀ / cols for a random X: [width, cols]
tensor::Tensor<double> random_covariance(std::int64_t width, std::int64_t cols, std::uint32_t id) {
  const tensor::Tensor<double> x = random_matrix(width, cols, 1, id);
  tensor::Tensor<double> out({width, width});
  for (std::int64_t a = 0; a < width; ++a)
    for (std::int64_t b = 0; b < width; ++b)
      for (std::int64_t k = 0; k < cols; ++k)
        out.rows()(a, b) += x.rows()(a, k) * x.rows()(b, k) / static_cast<double>(cols);
  return out;
}

double quadratic(const tensor::Tensor<double>& left, std::int64_t l,
                 const tensor::Tensor<double>& middle, const tensor::Tensor<double>& right,
                 std::int64_t r) {
  double total = 0;
  for (std::int64_t a = 0; a < middle.shape()[0]; ++a)
    for (std::int64_t b = 0; b < middle.shape()[1]; ++b)
      total += left.rows()(l, a) * middle.rows()(a, b) * right.rows()(r, b);
  return total;
}

TEST_CASE("A column transform makes columns sum to N/M, a row transform makes rows sum to 1") {
  // Also at scores of several hundred, where exp without a shift overflows.
  for (const double size : {1.0, 300.0}) {
    const tensor::Tensor<double> scores = random_matrix(9, 5, size, 1);
    const tensor::Tensor<double> row_dual = random_matrix(1, 9, size, 2);
    std::vector<double> column_dual(5), closed(9);
    tensor::Tensor<double> plan({9, 5});
    transport::column_c_transform<double>(scores.rows(), row_dual.flat(), column_dual);
    transport::plan_from_duals<double>(scores.rows(), row_dual.flat(), column_dual, plan.rows());
    CHECK(transport::marginal_errors<double>(plan.rows()).column_max <
          1e-11);  // 300 * 2^-52 * a few
    transport::row_c_transform<double>(scores.rows(), column_dual, closed);
    transport::plan_from_duals<double>(scores.rows(), closed, column_dual, plan.rows());
    CHECK(transport::marginal_errors<double>(plan.rows()).row_max < 1e-11);
  }
}

TEST_CASE("Marginal errors of a known plan") {
  tensor::Tensor<double> plan({2, 2});
  plan[0] = 0.5, plan[1] = 0.5, plan[2] = 1.0, plan[3] = 0.5;  // rows 1, 1.5; columns 1.5, 1
  const transport::MarginalErrors errors = transport::marginal_errors<double>(plan.rows());
  CHECK(errors.row_mean == doctest::Approx(0.25));
  CHECK(errors.row_max == doctest::Approx(0.5));
  CHECK(errors.column_mean == doctest::Approx(0.25));
  CHECK(errors.column_max == doctest::Approx(0.5));
}

TEST_CASE("Sinkhorn in the log domain converges to a plan with both marginals, N and M different") {
  const tensor::Tensor<double> scores = random_matrix(12, 7, 1, 3);
  const transport::SinkhornTrace<double> trace =
      transport::sinkhorn_log<double>(scores.rows(), {}, 500);
  tensor::Tensor<double> plan({12, 7});
  transport::plan_from_duals<double>(scores.rows(), trace.row_duals.rows().row(500),
                                     trace.column_duals.rows().row(499), plan.rows());
  const transport::MarginalErrors errors = transport::marginal_errors<double>(plan.rows());
  CHECK(errors.row_max < 1e-13);
  CHECK(errors.column_max < 1e-13);
}

TEST_CASE("No iteration is softmax") {
  const tensor::Tensor<double> scores = random_matrix(4, 6, 2, 4);
  const transport::SinkhornTrace<double> trace =
      transport::sinkhorn_log<double>(scores.rows(), {}, 0);
  for (std::int64_t i = 0; i < 4; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < 6; ++j) sum += std::exp(scores.rows()(i, j));
    CHECK(trace.row_duals[i] == doctest::Approx(-std::log(sum)).epsilon(1e-14));
  }
  CHECK(trace.column_duals.size() == 0);
}

TEST_CASE("Random slices are orthonormal within each basis and differ between heads") {
  const transport::Slices slices = transport::random_slices(10, 4, 5, 0);
  for (std::int64_t k = 0; k < 10; ++k)
    for (std::int64_t l = 0; l < 10; ++l) {
      double inner = 0;
      for (std::int64_t d = 0; d < 4; ++d)
        inner += slices.query.rows()(k, d) * slices.key.rows()(l, d);
      if (k / 4 == l / 4) CHECK(std::abs(inner - (k == l ? 1 : 0)) < 1e-14);
    }
  CHECK(transport::random_slices(10, 4, 5, 1).query[0] != slices.query[0]);
  CHECK(transport::random_slices(10, 4, 5, 0).query[0] == slices.query[0]);
}

TEST_CASE("Canonical slices whiten both covariances alike and keep the scores") {
  const tensor::Tensor<double> a = random_covariance(6, 40, 5), b = random_covariance(6, 40, 6);
  const transport::Slices slices = transport::canonical_slices(a.rows(), b.rows(), 6);
  for (std::int64_t k = 0; k < 6; ++k)
    for (std::int64_t l = 0; l < 6; ++l) {
      const double s = quadratic(slices.query, k, a, slices.query, l);
      const double t = quadratic(slices.key, k, b, slices.key, l);
      CHECK(std::abs(s - t) < 1e-10);
      if (k != l) CHECK(std::abs(s) < 1e-10);
      double identity = 0;  // sum over slices of a_l(k) b_l(l)
      for (std::int64_t slice = 0; slice < 6; ++slice)
        identity += slices.query.rows()(slice, k) * slices.key.rows()(slice, l);
      CHECK(std::abs(identity - (k == l ? 1 : 0)) < 1e-10);
    }
  for (std::int64_t l = 1; l < 6; ++l)
    CHECK(quadratic(slices.query, l, a, slices.query, l) <
          quadratic(slices.query, l - 1, a, slices.query, l - 1));
}

TEST_CASE("Canonical slices of singular and of zero covariances are finite") {
  const tensor::Tensor<double> thin = random_covariance(6, 2, 7),
                               full = random_covariance(6, 40, 8);
  const tensor::Tensor<double> zero({6, 6});
  const tensor::Tensor<double>* pairs[][2] = {
      {&thin, &full}, {&full, &thin}, {&zero, &full}, {&zero, &zero}};
  for (const auto& pair : pairs) {
    const transport::Slices slices =
        transport::canonical_slices(pair[0]->rows(), pair[1]->rows(), 6);
    for (const double value : slices.query.flat()) CHECK(std::isfinite(value));
    for (const double value : slices.key.flat()) CHECK(std::isfinite(value));
  }
}

TEST_CASE("Canonical slices have one sign, whatever the sign of the eigenvectors") {
  const tensor::Tensor<double> a = random_covariance(5, 40, 9), b = random_covariance(5, 40, 10);
  const transport::Slices slices = transport::canonical_slices(a.rows(), b.rows(), 3);
  for (std::int64_t l = 0; l < 3; ++l) {
    double largest = 0;
    for (const double value : slices.query.rows().row(l))
      if (std::abs(value) > std::abs(largest)) largest = value;
    CHECK(largest > 0);
  }
}

}  // namespace
}  // namespace asap
