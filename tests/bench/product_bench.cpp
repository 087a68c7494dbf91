// Matrix products at the shapes of attention.
#include "microbench.h"
#include "tensor/kernels/gemm.h"

using namespace asap::test;

namespace asap::bench {
namespace {

/// C = op(A) op(B): [m, k] x [k, n].
void product(benchmark::State& state, Transpose transpose_a, Transpose transpose_b, std::int64_t m,
             std::int64_t n, std::int64_t k) {
  const Tensor<float> a = random_tensor(transpose_a == Transpose::no ? Shape{m, k} : Shape{k, m});
  const Tensor<float> b = random_tensor(transpose_b == Transpose::no ? Shape{k, n} : Shape{n, k});
  Tensor<float> c({m, n});
  for (auto _ : state) {
    gemm<float>(transpose_a, transpose_b, 1, a.rows(), b.rows(), 0, c.rows());
    benchmark::DoNotOptimize(c.data());
    benchmark::ClobberMemory();
  }
  count_operations(state,
                   2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k));
}

/// Q Kᵀ: [N, D] x [D, N].
void scores(benchmark::State& state) {
  product(state, Transpose::no, Transpose::yes, state.range(0), state.range(0), state.range(1));
}

/// A V: [N, N] x [N, D].
void values(benchmark::State& state) {
  product(state, Transpose::no, Transpose::no, state.range(0), state.range(1), state.range(0));
}

/// Aᵀ dO: [N, N]ᵀ x [N, D], of the backward pass.
void values_gradient(benchmark::State& state) {
  product(state, Transpose::yes, Transpose::no, state.range(0), state.range(1), state.range(0));
}

void attention_shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"n", "d"});
  for (const auto& [n, d] :
       {std::pair<int, int>{49, 32}, {196, 32}, {512, 32}, {512, 64}, {1024, 64}, {2048, 64}})
    benchmark->Args({n, d});
}

BENCHMARK(scores)->Apply(attention_shapes);
BENCHMARK(values)->Apply(attention_shapes);
BENCHMARK(values_gradient)->Apply(attention_shapes);

}  // namespace
}  // namespace asap::bench
