#pragma once

#include <atomic>
#include <cmath>

#include "attention/interface/attention_operator.h"
#include "base/timing.h"

namespace asap {

/// Passes every call on to another operator and adds up the processor time spent there, over
/// all threads.
class TimedAttention final : public AttentionOperator {
 public:
  explicit TimedAttention(const AttentionOperator& inner) : inner_(inner) {}

  void apply(int layer, const AttentionBatch<float>& batch, MatrixView<float> output,
             Arena& scratch) const override {
    const double start = thread_cpu_seconds();
    inner_.apply(layer, batch, output, scratch);
    nanoseconds_.fetch_add(std::llround((thread_cpu_seconds() - start) * 1e9),
                           std::memory_order_relaxed);
  }

  double seconds() const { return static_cast<double>(nanoseconds_.load()) * 1e-9; }

 private:
  const AttentionOperator& inner_;
  mutable std::atomic<std::int64_t> nanoseconds_ = 0;
};

}  // namespace asap
