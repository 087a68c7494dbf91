#pragma once

#include <array>

#include "numerics/curve.h"

namespace asap::numerics {

/// The four cubic B-splines that are not zero at one point, and their derivatives there.
struct CubicSplinesAt {
  int first = 0;  ///< index of the first of the four
  std::array<double, 4> value{}, slope{};
};

/// Cubic B-splines on `cells` equal cells of an interval: cells + 3 functions whose sum is 1.
/// Beyond the interval they continue as straight lines, so no input is out of range.
class CubicSplines {
 public:
  CubicSplines(Interval interval, int cells) : interval_(interval), cells_(cells) {}

  int count() const { return cells_ + 3; }
  Interval interval() const { return interval_; }
  CubicSplinesAt at(double x) const;

 private:
  Interval interval_;
  int cells_;
};

}  // namespace asap::numerics
