#pragma once

namespace asap::evaluate {

/// Most float32 operations per second that these threads reach together, in GFLOP/s, a multiply-add
/// counting two: a loop of independent multiply-adds in registers, the best of a few tries of about
/// `seconds` in all. What matrix products are measured against.
double measure_peak_gflops(int threads, double seconds = 0.2);

}  // namespace asap::evaluate
