#pragma once

#include <functional>
#include <vector>

#include "region/fit/methods.h"

namespace asap::region {

/// One network that the search tried.
struct ToleranceTrial {
  int depth = 0, fold = 0, windows = 0;
  std::int64_t parameters = 0;
  double max_error = 0;  ///< on the dense grid
  bool reached = false;
};

struct ToleranceResult {
  Fit fit;
  std::vector<ToleranceTrial> trials;  ///< in order
};

/// The network with the fewest parameters whose maximum error on a dense grid is at most
/// `tolerance`. The search tries polished networks of one window that may have enough pieces, and
/// windowed foldings of two and three pieces for every depth, each with the fewest windows that
/// reach the tolerance. `progress` receives each trial. UsageError when the points are noisy;
/// NumericalError when no network reaches the tolerance.
ToleranceResult fit_to_tolerance(const Target& target, double tolerance, const FitOptions& options,
                                 const std::function<void(const ToleranceTrial&)>& progress = {});

/// Largest |network - reference| on the dense grid, or on four points per piece if these are more.
double dense_max_error(const Target& target, const ReluNetwork& network, double pieces = 0);

}  // namespace asap::region
