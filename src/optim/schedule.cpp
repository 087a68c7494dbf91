#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace asap::optim {

double WarmupCosine::rate(std::int64_t step) const {
  if (step < warmup_steps)
    return peak * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  const double span =
      static_cast<double>(std::max<std::int64_t>(total_steps - 1 - warmup_steps, 1));
  const double progress = std::min(1.0, static_cast<double>(step - warmup_steps) / span);
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return peak * (final_fraction + (1 - final_fraction) * cosine);
}

}  // namespace asap::optim
