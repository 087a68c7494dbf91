#pragma once

#include <limits>

#include "region/fit/methods.h"

namespace asap::region {

/// A mean squared error, in units of range one, that is rounding: nothing is left to polish.
inline constexpr double kExact = 1e-26;

/// No straight pieces compete.
inline constexpr double kNoRival = std::numeric_limits<double>::infinity();

/// Steps 1 to 4 of best_fit() for a target in unit scale. `rival`: error of straight pieces on as
/// many parameters. Raw weights that stay far behind it are given up, and not tried on noisy points
/// that the pieces explain.
Fit unit_narrow_fit(const Target& unit, const FitOptions& options, double rival = kNoRival);

/// Hops from a network of the same width and fewer layers. No worse than the start.
Fit unit_narrow_fit_from(const ReluNetwork& start, const Target& unit, const FitOptions& options);

/// unit_narrow_fit() in the units of the target.
Fit narrow_fit(const Target& target, const FitOptions& options);

}  // namespace asap::region
