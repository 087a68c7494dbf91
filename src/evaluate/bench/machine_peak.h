#pragma once

namespace asap::evaluate {

/// The highest rate of float32 operations that these threads reach together, in GFLOP/s (a
/// multiply-add counts as two): a loop of independent multiply-adds in registers, the best of a few
/// tries of about `seconds` in all. Matrix products are compared with it.
double measure_peak_gflops(int threads, double seconds = 0.2);

}  // namespace asap::evaluate
