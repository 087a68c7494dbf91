#pragma once

#include <cstdint>
#include <optional>

#include "region/certify/expression.h"
#include "region/network/piecewise_linear.h"

namespace asap::region {

struct BoundOptions {
  /// Stop when upper - lower is at most this share of lower.
  double gap = 1e-3;
  /// Stop after this many evaluations of the formula.
  std::int64_t evaluations = 1'000'000;
  /// Stop as well when the maximum is known to be at most, or more than, this.
  std::optional<double> tolerance{};
};

/// lower <= max |f(x) - p(x)| <= upper, whatever stopped the search; rounding is accounted for.
struct MaximumErrorBounds {
  double lower = 0;        ///< |f - p| at `x` is at least this
  double upper = 0;        ///< infinite where nothing is known
  double x = 0;            ///< where `lower` is attained
  bool certified = false;  ///< the gap was reached, or the maximum compared with the tolerance
  std::int64_t evaluations = 0;

  /// The maximum is at most `tolerance`.
  bool within(double tolerance) const { return upper <= tolerance; }
};

/// Bounds the largest |f(x) - p(x)| between the first and last knot of p: on each piece by interval
/// arithmetic on the values and first two derivatives of f, on parts that are halved until the gap
/// is reached, the least certain first (branch and bound; Moore, Kearfott and Cloud, Introduction
/// to Interval Analysis, 2009, chapters 6 and 9).
MaximumErrorBounds bound_maximum_error(const Expression& f, const PiecewiseLinear& p,
                                       const BoundOptions& options = {});

/// The same for a network of one input on an interval, as any program computes it in the given
/// rounding.
MaximumErrorBounds bound_maximum_error(const Expression& f, const ReluNetwork& network,
                                       numerics::Interval interval,
                                       const BoundOptions& options = {}, Rounding rounding = {});

}  // namespace asap::region
