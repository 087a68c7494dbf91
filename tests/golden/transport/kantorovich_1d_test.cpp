#include "transport/kantorovich_1d.h"

#include <doctest/doctest.h>

#include "golden/golden_file.h"
#include "golden/transport_cases.h"

using namespace asap::test;

namespace {

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
