#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace asap::base {

/// Seconds since construction or the last restart, on a clock that never goes back.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  void restart() { start_ = std::chrono::steady_clock::now(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The median of timings; `values` must not be empty.
double median(std::vector<double> values);

/// Processor time the calling thread has used so far, in seconds: unlike wall-clock time it does
/// not grow while other programs run.
double thread_cpu_seconds();

/// Peak resident memory of this process so far, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace asap::base
