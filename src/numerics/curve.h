#pragma once

#include <functional>

namespace asap::numerics {

/// A closed interval of the real line.
struct Interval {
  double low = 0, high = 1;
  double length() const { return high - low; }
  /// From the interval to [0, 1] and back.
  double unit(double x) const { return (x - low) / (high - low); }
  double at(double u) const { return low + u * (high - low); }
};

/// A function of one variable, cheap enough to be sampled thousands of times.
using Curve = std::function<double(double)>;

}  // namespace asap::numerics
