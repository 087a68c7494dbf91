#include <doctest/doctest.h>

#include "golden/golden_file.h"
#include "tensor/kernels/gemm.h"
#include "transport/kantorovich_1d.h"
#include "transport/marginals.h"
#include "transport/sinkhorn_log.h"

using namespace asap::test;

namespace {

const char* const kCases[] = {"equal", "fewer_keys", "more_keys", "coprime"};

double mean(asap::tensor::VectorView<const double> values) {
  double total = 0;
  for (const double value : values) total += value;
  return total / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("potentials on a line reach the optimal cost of POT's network simplex") {
  using namespace asap;
  const io::TensorFile file = read_golden("transport.safetensors");
  for (const std::string name : kCases) {
    CAPTURE(name);
    const tensor::Tensor<double> s = golden(file, "line." + name + ".s");
    const tensor::Tensor<double> t = golden(file, "line." + name + ".t");
    tensor::Tensor<double> phi(s.shape()), psi(t.shape());
    tensor::Arena scratch;
    transport::kantorovich_potentials_1d<double>(s.flat(), t.flat(), phi.flat(), psi.flat(),
                                                 scratch);
    // Feasible duals bound the cost from below, so reaching it proves them optimal. Sums of at most
    // 17 numbers of size 1: some tens of roundings.
    const double cost = golden(file, "line." + name + ".cost")[0];
    CHECK(mean(phi.flat()) + mean(psi.flat()) == doctest::Approx(cost).epsilon(1e-13));
    for (std::int64_t i = 0; i < s.size(); ++i)
      for (std::int64_t j = 0; j < t.size(); ++j) CHECK(phi[i] + psi[j] <= -s[i] * t[j] + 1e-13);
  }
}

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
