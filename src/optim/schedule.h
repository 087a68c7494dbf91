#pragma once

#include <cstdint>

namespace asap::optim {

/// Learning rate during training: a linear rise, then a fall along half a cosine (Loshchilov and
/// Hutter 2017).
struct WarmupCosine {
  double peak = 1e-3;
  double final_fraction = 0.01;  ///< rate of the last step as a fraction of peak
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 1;

  /// Rate of step `step`, the first being 0.
  double rate(std::int64_t step) const;
};

}  // namespace asap::optim
