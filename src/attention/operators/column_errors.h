#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace asap::attention {

/// Column errors of a compiled head on examples like those it was fitted on: what its certificates
/// are held against.
struct ColumnErrors {
  std::vector<float> sorted{};  ///< one per example, ascending; empty when not measured
  /// The same of the bounds that GuardedOperator gets for nothing; empty when not measured.
  std::vector<float> bounds{};
  /// The largest column error of the plan that the teacher's loop starts from, of maps that start
  /// there, too; infinite when not measured.
  float largest_start = std::numeric_limits<float>::infinity();
  /// The column error of the teacher's own plans, mean over columns; NaN when not measured.
  float teacher = std::numeric_limits<float>::quiet_NaN();

  bool measured() const { return !sorted.empty(); }
  /// The smallest error that at least this share of the examples does not exceed. Only if measured.
  double quantile(double share) const { return quantile_of(sorted, share); }
  /// The same of the bounds.
  double bound_quantile(double share) const { return quantile_of(bounds, share); }

 private:
  static double quantile_of(const std::vector<float>& values, double share) {
    const auto count = static_cast<double>(values.size());
    const double place = std::ceil(share * count) - 1;
    return values[static_cast<std::size_t>(std::clamp(place, 0.0, count - 1))];
  }
};

}  // namespace asap::attention
