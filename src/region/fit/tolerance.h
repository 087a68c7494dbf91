#pragma once

#include <functional>
#include <vector>

#include "region/fit/methods.h"
#include "region/network/piecewise_linear.h"

namespace asap::region {

/// One network that the search tried.
struct ToleranceTrial {
  int depth = 0, fold = 0, windows = 0;  ///< fold and windows 0: straight pieces, one hidden layer
  std::int64_t parameters = 0;
  double max_error = 0;  ///< a bound where `reached`; otherwise an error that was found
  bool reached = false;
};

struct ToleranceResult {
  Fit fit;
  double max_error = 0;  ///< of a function, a proven bound; of points, at the points
  /// The least number of pieces of any continuous piecewise linear function within the tolerance.
  int fewest_pieces = 0;
  std::vector<ToleranceTrial> trials;  ///< in order
};

/// The smallest network found whose maximum error is at most `tolerance`: on points at the points,
/// for a function everywhere on the interval, proved with interval arithmetic
/// (certify/error_bounds.h).
///
/// The first candidate has one hidden layer and straight pieces, the fewest possible where
/// `fewest_pieces` says so (pieces/stabbing.h). Smaller ones are searched among polished networks
/// of one window and windowed foldings of two and three pieces for every depth, each with the
/// fewest windows that reach the tolerance. `progress` receives each trial. NumericalError when no
/// network reaches the tolerance; UsageError where points of equal x are farther apart than twice
/// the tolerance.
ToleranceResult fit_to_tolerance(const Target& target, double tolerance, const FitOptions& options,
                                 const std::function<void(const ToleranceTrial&)>& progress = {});

}  // namespace asap::region
