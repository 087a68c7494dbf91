#include "transport/sinkhorn_log.h"

#include <cmath>

#include <doctest/doctest.h>

#include "transport/marginals.h"
#include "unit/transport/random_matrix.h"

namespace asap::test {
namespace {

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

}  // namespace
}  // namespace asap::test
