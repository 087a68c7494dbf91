#pragma once

#include <atomic>
#include <cmath>

#include "attention/interface/attention_operator.h"
#include "base/timing.h"

namespace asap::evaluate {

/// Passes every call on to another operator and adds up the processor time spent there, over
/// all threads.
class TimedAttention final : public attention::AttentionOperator {
 public:
  explicit TimedAttention(const attention::AttentionOperator& inner) : inner_(inner) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    const double start = base::thread_cpu_seconds();
    inner_.apply(layer, batch, output, scratch);
    nanoseconds_.fetch_add(std::llround((base::thread_cpu_seconds() - start) * 1e9),
                           std::memory_order_relaxed);
  }

  bool works_by_example() const override { return inner_.works_by_example(); }

  double seconds() const { return static_cast<double>(nanoseconds_.load()) * 1e-9; }

 private:
  const attention::AttentionOperator& inner_;
  mutable std::atomic<std::int64_t> nanoseconds_ = 0;
};

}  // namespace asap::evaluate
