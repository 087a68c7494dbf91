#pragma once

#include <limits>

namespace asap::region {

/// All real numbers from low to high. An operation returns an enclosure that holds the exact result
/// for any operands in the given ones: ends are rounded outwards. Ends may be infinite; an infinite
/// end stands for numbers without a limit. Where a function is defined for only some of the
/// operands, its enclosure is that of its values at those.
struct Enclosure {
  double low = 0, high = 0;

  static constexpr Enclosure everything() {
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  }
  static constexpr Enclosure point(double value) { return {value, value}; }

  bool is_point() const { return low == high; }
  bool contains(double value) const { return low <= value && value <= high; }
  bool contains_inside(double value) const { return low < value && value < high; }
  /// Largest and smallest absolute value.
  double magnitude() const;
  double mignitude() const;
};

Enclosure operator-(Enclosure a);
Enclosure operator+(Enclosure a, Enclosure b);
Enclosure operator-(Enclosure a, Enclosure b);
/// An infinite end times zero is zero.
Enclosure operator*(Enclosure a, Enclosure b);
/// Everything if b contains zero inside.
Enclosure operator/(Enclosure a, Enclosure b);

Enclosure hull(Enclosure a, Enclosure b);
/// a and b hold the same number; where rounding has pulled them apart, a.
Enclosure intersection(Enclosure a, Enclosure b);
/// The enclosure moved out at both ends by this number of units in the last place.
Enclosure widened(Enclosure a, int units);

Enclosure square(Enclosure a);
/// a^n for a whole n.
Enclosure power(Enclosure a, int n);
/// a^c for a >= 0 and any c.
Enclosure real_power(Enclosure a, double c);
Enclosure square_root(Enclosure a);
Enclosure exponential(Enclosure a);
Enclosure logarithm(Enclosure a);
Enclosure sine(Enclosure a);
Enclosure cosine(Enclosure a);
Enclosure tangent(Enclosure a);

/// The enclosure of a rising function from its values at both ends, each within `units` units in
/// the last place.
template <class Function>
Enclosure rising(Function f, Enclosure a, int units) {
  return widened({f(a.low), f(a.high)}, units);
}

}  // namespace asap::region
