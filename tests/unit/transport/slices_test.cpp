#include "transport/slices.h"

#include <cmath>

#include <doctest/doctest.h>

#include "unit/transport/random_matrix.h"

namespace asap::test {
namespace {

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
}  // namespace asap::test
