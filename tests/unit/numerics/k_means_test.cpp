#include "numerics/k_means.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

namespace asap::test {
namespace {

/// Clouds of 50 points around (0, 0), (10, 0) and (0, 10).
tensor::Tensor<double> three_clouds() {
  base::RandomStream random(61, base::RandomPurpose::test);
  tensor::Tensor<double> points({150, 2});
  for (std::int64_t i = 0; i < 150; ++i) {
    points.rows()(i, 0) = 0.3 * random.normal() + (i % 3 == 1 ? 10 : 0);
    points.rows()(i, 1) = 0.3 * random.normal() + (i % 3 == 2 ? 10 : 0);
  }
  return points;
}

double squared_errors(const tensor::Tensor<double>& points, const tensor::Tensor<double>& centres) {
  double total = 0;
  for (std::int64_t i = 0; i < points.shape()[0]; ++i) {
    double least = INFINITY;
    for (std::int64_t c = 0; c < centres.shape()[0]; ++c)
      least = std::min(least, std::pow(points.rows()(i, 0) - centres.rows()(c, 0), 2) +
                                  std::pow(points.rows()(i, 1) - centres.rows()(c, 1), 2));
    total += least;
  }
  return total;
}

TEST_CASE("Well separated clusters are found, as their means") {
  const tensor::Tensor<double> points = three_clouds();
  const tensor::Tensor<double> centres = numerics::k_means(points.rows(), 3, 20, 1, 0);
  for (int cloud = 0; cloud < 3; ++cloud) {
    double x = 0, y = 0, nearest = INFINITY;
    for (std::int64_t i = cloud; i < 150; i += 3) {
      x += points.rows()(i, 0) / 50;
      y += points.rows()(i, 1) / 50;
    }
    for (std::int64_t c = 0; c < 3; ++c)
      nearest = std::min(nearest,
                         std::abs(centres.rows()(c, 0) - x) + std::abs(centres.rows()(c, 1) - y));
    CHECK(nearest < 1e-12);
  }
}

TEST_CASE("Rounds do not raise the squared error, and the result is a function of the seed") {
  const tensor::Tensor<double> points = three_clouds();
  double before = INFINITY;
  for (const int rounds : {0, 1, 2, 5, 20}) {
    const double error = squared_errors(points, numerics::k_means(points.rows(), 8, rounds, 3, 1));
    CHECK(error <= before * (1 + 1e-12));
    before = error;
  }
  const tensor::Tensor<double> once = numerics::k_means(points.rows(), 8, 5, 3, 1);
  CHECK(std::ranges::equal(once.flat(), numerics::k_means(points.rows(), 8, 5, 3, 1).flat()));
  CHECK_FALSE(std::ranges::equal(once.flat(), numerics::k_means(points.rows(), 8, 5, 4, 1).flat()));
}

TEST_CASE("More clusters than different points leave finite centres") {
  tensor::Tensor<double> points({4, 1});
  points.flat()[3] = 1;
  const tensor::Tensor<double> centres = numerics::k_means(points.rows(), 6, 5, 1, 0);
  for (const double value : centres.flat()) CHECK((value == 0 || value == 1));
  CHECK(std::ranges::max(centres.flat()) == 1);
}

}  // namespace
}  // namespace asap::test
