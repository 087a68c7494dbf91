#pragma once

#include <benchmark/benchmark.h>

#include "base/random.h"
#include "tensor/core/tensor.h"

namespace asap::bench {

/// The most multiply-adds per second one thread reaches, measured once per process: operations per
/// second.
double peak_operations();

/// Counters "GFLOP/s" and "of_peak" from the operations of one iteration.
inline void count_operations(benchmark::State& state, double per_iteration) {
  using benchmark::Counter;
  state.counters["FLOP/s"] = Counter(per_iteration, Counter::kIsIterationInvariantRate);
  state.counters["of_peak"] =
      Counter(per_iteration / peak_operations(), Counter::kIsIterationInvariantRate);
}

/// Counter "ns_per_value" and items per second.
inline void count_values(benchmark::State& state, std::int64_t per_iteration) {
  using benchmark::Counter;
  state.counters["s_per_value"] = Counter(static_cast<double>(per_iteration),
                                          Counter::kIsIterationInvariantRate | Counter::kInvert);
}

/// Standard normal numbers times `scale`.
inline Tensor<float> random_tensor(const Shape& shape, double scale = 1, std::uint32_t stream = 0) {
  Tensor<float> tensor(shape);
  RandomStream random(1, RandomPurpose::test, stream);
  for (float& value : tensor.flat()) value = static_cast<float>(scale * random.normal());
  return tensor;
}

}  // namespace asap::bench
