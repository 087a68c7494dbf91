#include "evaluate/bench/machine_peak.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "base/timing.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "evaluate/bench/machine_peak.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "evaluate/bench/machine_peak_kernel_set.h"
#include "tensor/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace asap::evaluate {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int kChains = 12;  // more than latency times units anywhere, and still in 16 registers

/// Multiply-adds that wait only for the one before in their own chain. Returns their number; `sink`
/// keeps the compiler from dropping them.
double run_multiply_adds(std::int64_t steps, float* sink) {
  const hn::ScalableTag<float> d;
  // A factor below 1 keeps every chain finite and normal.
  const auto factor = hn::Set(d, 0.999F), term = hn::Set(d, 0.001F);
  // Chains with different starts: the compiler would compute equal ones once.
  const auto start = [&](int chain)
                         HWY_ATTR { return hn::Set(d, 0.01F * static_cast<float>(chain)); };
  auto a0 = start(0), a1 = start(1), a2 = start(2), a3 = start(3);
  auto a4 = start(4), a5 = start(5), a6 = start(6), a7 = start(7);
  auto a8 = start(8), a9 = start(9), a10 = start(10), a11 = start(11);
  for (std::int64_t step = 0; step < steps; ++step) {
    a0 = hn::MulAdd(a0, factor, term);
    a1 = hn::MulAdd(a1, factor, term);
    a2 = hn::MulAdd(a2, factor, term);
    a3 = hn::MulAdd(a3, factor, term);
    a4 = hn::MulAdd(a4, factor, term);
    a5 = hn::MulAdd(a5, factor, term);
    a6 = hn::MulAdd(a6, factor, term);
    a7 = hn::MulAdd(a7, factor, term);
    a8 = hn::MulAdd(a8, factor, term);
    a9 = hn::MulAdd(a9, factor, term);
    a10 = hn::MulAdd(a10, factor, term);
    a11 = hn::MulAdd(a11, factor, term);
  }
  const auto low = hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), hn::Add(a4, a5));
  const auto high = hn::Add(hn::Add(hn::Add(a6, a7), hn::Add(a8, a9)), hn::Add(a10, a11));
  *sink = hn::GetLane(hn::SumOfLanes(d, hn::Add(low, high)));
  return static_cast<double>(steps) * kChains * static_cast<double>(hn::Lanes(d));
}

constexpr MachinePeakKernelSet kKernelSet = {
    .run_multiply_adds = &run_multiply_adds,
};

const MachinePeakKernelSet* kernel_set() { return &kKernelSet; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::evaluate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::evaluate {
namespace {

ASAP_DEFINE_KERNELS(MachinePeakKernelSet)

}  // namespace

double measure_peak_gflops(int threads, double seconds) {
  constexpr int kTries = 8;
  float sink = 0;
  std::int64_t steps = 1 << 14;
  // The first call wakes the wide units up; then the length of a try is set.
  const base::Stopwatch trial;
  kernels().run_multiply_adds(steps, &sink);
  steps = std::max(steps, static_cast<std::int64_t>(static_cast<double>(steps) * seconds / kTries /
                                                    std::max(trial.seconds(), 1e-6)));
  double best = 0;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    std::vector<double> count(threads, 0.0);
    std::vector<float> sinks(threads, 0.0F);
    const base::Stopwatch watch;
    base::parallel_for(threads, threads, [&](std::int64_t index, int) {
      count[index] = kernels().run_multiply_adds(steps, &sinks[index]);
    });
    double total = 0;
    for (const double part : count) total += part;
    best = std::max(best, 2e-9 * total / watch.seconds());
  }
  return best;
}

}  // namespace asap::evaluate
#endif
