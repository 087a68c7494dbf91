#include "numerics/non_negative.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "tensor/core/tensor.h"

namespace asap::test {
namespace {

TEST_CASE("non-negative least squares agrees with the conditions of its optimum") {
  base::RandomStream random(31, base::RandomPurpose::test);
  for (int trial = 0; trial < 20; ++trial) {
    const std::int64_t n = 8;
    tensor::Tensor<double> rows({20, n}), a({n, n});
    for (double& value : rows.flat()) value = random.normal();
    std::vector<double> b(n);
    for (std::int64_t p = 0; p < n; ++p) {
      for (std::int64_t i = 0; i < 20; ++i) {
        b[p] += rows.rows()(i, p) * (i % 3 - 1.0);
        for (std::int64_t q = 0; q < n; ++q)
          a.rows()(p, q) += rows.rows()(i, p) * rows.rows()(i, q);
      }
    }
    const std::vector<double> x = numerics::solve_non_negative(a.rows(), b);
    for (std::int64_t p = 0; p < n; ++p) {
      double gradient = -b[p];
      for (std::int64_t q = 0; q < n; ++q) gradient += a.rows()(p, q) * x[q];
      CHECK(x[p] >= 0);
      // Numbers of size twenty, solved with a ridge of 1e-13.
      if (x[p] > 0) CHECK(std::abs(gradient) < 1e-10);
      CHECK(gradient > -1e-9);
    }
  }
}

}  // namespace
}  // namespace asap::test
