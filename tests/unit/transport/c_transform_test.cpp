#include "transport/c_transform.h"

#include <vector>

#include <doctest/doctest.h>

#include "tensor/core/tensor.h"
#include "transport/marginals.h"
#include "unit/transport/random_matrix.h"

namespace asap::test {
namespace {

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

}  // namespace
}  // namespace asap::test
