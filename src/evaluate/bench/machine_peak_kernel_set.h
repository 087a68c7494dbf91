#pragma once

#include <cstdint>

namespace asap::evaluate {

/// What machine_peak.cpp compiles once per instruction set.
struct MachinePeakKernelSet {
  /// Runs `steps` rounds of independent multiply-adds on floats and returns how many it made,
  /// counted per lane.
  double (*run_multiply_adds)(std::int64_t steps, float* sink);
};

}  // namespace asap::evaluate
