#include "transport/marginals.h"

#include <doctest/doctest.h>

#include "tensor/core/tensor.h"

namespace asap::test {
namespace {

TEST_CASE("Marginal errors of a known plan") {
  tensor::Tensor<double> plan({2, 2});
  plan[0] = 0.5, plan[1] = 0.5, plan[2] = 1.0, plan[3] = 0.5;  // rows 1, 1.5; columns 1.5, 1
  const transport::MarginalErrors errors = transport::marginal_errors<double>(plan.rows());
  CHECK(errors.row_mean == doctest::Approx(0.25));
  CHECK(errors.row_max == doctest::Approx(0.5));
  CHECK(errors.column_mean == doctest::Approx(0.25));
  CHECK(errors.column_max == doctest::Approx(0.5));
  CHECK(transport::column_error<double>(plan.rows(), 0) == errors.column_mean);
  // Columns that may sum to 1.25: one exceeds it by a fifth.
  CHECK(transport::column_error<double>(plan.rows(), 0.25) == doctest::Approx(0.1));
  CHECK(transport::column_error<double>(plan.rows(), 1) == 0);
}

}  // namespace
}  // namespace asap::test
