// Kernels that touch each value once or twice: exponentials, sweeps over a stored Gibbs kernel,
// sorts.
#include <algorithm>

#include "attention/stored/scaling_kernels.h"
#include "microbench.h"
#include "tensor/core/arena.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/row_ops.h"
#include "transport/kantorovich_1d.h"
#include "transport/sorting.h"

using namespace asap::test;

namespace asap::bench {
namespace {

void exponentials(benchmark::State& state) {
  const Tensor<float> x = random_tensor({state.range(0)}, 5);
  Tensor<float> out(x.shape());
  for (auto _ : state) {
    exponential<float>(x.flat(), out.flat());
    benchmark::ClobberMemory();
  }
  count_values(state, x.size());
}
BENCHMARK(exponentials)->ArgName("values")->Arg(1 << 10)->Arg(1 << 18)->Arg(1 << 22);

void softmax_of_rows(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  const Tensor<float> x = random_tensor({n, n}, 5);
  Tensor<float> out(x.shape());
  for (auto _ : state) {
    softmax_rows<float>(x.rows(), out.rows());
    benchmark::ClobberMemory();
  }
  count_values(state, x.size());
}
BENCHMARK(softmax_of_rows)->ArgName("n")->Arg(196)->Arg(512)->Arg(2048);

/// A Gibbs kernel of positive numbers with padded rows and a column scaling.
struct StoredGibbs {
  std::int64_t n;
  Tensor<float> gibbs, v, u, column_sum;

  explicit StoredGibbs(std::int64_t size)
      : n(size),
        gibbs({n, padded_columns<float>(n)}),
        v({padded_columns<float>(n)}),
        u({n}),
        column_sum({padded_columns<float>(n)}) {
    RandomStream random(1, RandomPurpose::test);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        view()(i, j) = static_cast<float>(random.uniform(0.1, 1));
    std::fill_n(v.data(), n, 1.0F);
  }
  MatrixView<float> view() { return {gibbs.data(), n, n, padded_columns<float>(n)}; }
};

/// One Sinkhorn iteration: both updates in one pass.
void scaling_sweeps(benchmark::State& state) {
  StoredGibbs k(state.range(0));
  for (auto _ : state) {
    scaling_sweep<float>(k.view(), k.v.flat(), k.u.flat(), k.column_sum.flat());
    benchmark::ClobberMemory();
  }
  count_values(state, k.n * k.n);
}
BENCHMARK(scaling_sweeps)->ArgName("n")->Arg(196)->Arg(512)->Arg(1024)->Arg(2048)->Arg(4096);

/// What the compiled operator adds to softmax attention: one weighted column sum.
void column_sums_of_gibbs(benchmark::State& state) {
  StoredGibbs k(state.range(0));
  std::fill_n(k.u.data(), k.n, 1.0F);
  for (auto _ : state) {
    weighted_column_sum<float>(k.view(), k.u.flat(), k.column_sum.flat());
    benchmark::ClobberMemory();
  }
  count_values(state, k.n * k.n);
}
BENCHMARK(column_sums_of_gibbs)->ArgName("n")->Arg(196)->Arg(512)->Arg(2048);

void sorts_with_order(benchmark::State& state) {
  const Tensor<float> x = random_tensor({state.range(0)});
  Tensor<float> sorted(x.shape());
  std::vector<std::int32_t> order(static_cast<std::size_t>(x.size()));
  Arena scratch;
  for (auto _ : state) {
    const ArenaScope scope(scratch);
    sort_with_order(x.flat(), sorted.flat(), order, scratch);
    benchmark::ClobberMemory();
  }
  count_values(state, x.size());
}
BENCHMARK(sorts_with_order)->ArgName("values")->Arg(49)->Arg(196)->Arg(512)->Arg(4096);

/// Sorts of both sides and the sums along them.
void potentials(benchmark::State& state) {
  const Tensor<float> s = random_tensor({state.range(0)}, 1, 1);
  const Tensor<float> t = random_tensor({state.range(0)}, 1, 2);
  Tensor<float> phi(s.shape());
  Arena scratch;
  for (auto _ : state) {
    kantorovich_potential_1d<float>(s.flat(), t.flat(), phi.flat(), scratch);
    benchmark::ClobberMemory();
  }
  count_values(state, s.size());
}
BENCHMARK(potentials)->ArgName("values")->Arg(49)->Arg(196)->Arg(512)->Arg(4096);

}  // namespace
}  // namespace asap::bench
