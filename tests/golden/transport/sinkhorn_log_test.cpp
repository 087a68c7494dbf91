#include "transport/sinkhorn_log.h"

#include <doctest/doctest.h>

#include "golden/golden_file.h"
#include "golden/transport_cases.h"
#include "tensor/kernels/gemm.h"
#include "transport/marginals.h"

using namespace asap::test;

TEST_CASE("the log-domain Sinkhorn plan equals POT's") {
  using namespace asap;
  const io::TensorFile file = read_golden("transport.safetensors");
  for (const std::string name : kCases) {
    CAPTURE(name);
    const tensor::Tensor<double> x = golden(file, "entropic." + name + ".x");
    const tensor::Tensor<double> y = golden(file, "entropic." + name + ".y");
    const std::int64_t rows = x.shape()[0], cols = y.shape()[0];
    tensor::Tensor<double> scores(tensor::Shape{rows, cols});
    tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::yes, 1, x.rows(), y.rows(), 0,
                         scores.rows());

    constexpr int kIterations = 2000;
    const transport::SinkhornTrace<double> trace =
        transport::sinkhorn_log<double>(scores.rows(), {}, kIterations);
    tensor::Tensor<double> plan(scores.shape());
    transport::plan_from_duals<double>(scores.rows(), trace.row_duals.rows().row(kIterations),
                                       trace.column_duals.rows().row(kIterations - 1), plan.rows());
    // POT stops when its marginals are right to 1e-15; for these scores the plan is then right to
    // 1e-12.
    const tensor::Tensor<double> expected = golden(file, "entropic." + name + ".plan");
    CHECK(relative_difference(plan.flat(), expected.flat()) < 1e-12);
  }
}
