#include "region/certify/jet.h"

#include <algorithm>
#include <cmath>

namespace asap::region {
namespace {

constexpr Enclosure kAny = Enclosure::everything();

/// Of two functions, either of which may be the value: a corner is possible.
Jet either(const Jet& a, const Jet& b, Enclosure value) {
  return {value, hull(a.slope, b.slope), kAny};
}

bool is_whole(double value) { return value == std::trunc(value); }

/// base^n for a whole n.
Jet whole_power(const Jet& base, int n) {
  if (n == 0) return Jet::constant(1);
  if (n == 1) return base;
  if (n < 0 && base.value.contains(0)) return Jet::unknown();
  const auto factor = [](double value) { return Enclosure::point(value); };
  return compose(base, power(base.value, n), factor(n) * power(base.value, n - 1),
                 factor(static_cast<double>(n) * (n - 1)) * power(base.value, n - 2));
}

/// base^c where the base is not negative.
Jet positive_power(const Jet& base, double c) {
  if (base.value.low < 0 && is_whole(c)) return Jet::unknown();
  const Enclosure factor = Enclosure::point(c);
  Jet result = compose(base, real_power(base.value, c), factor * real_power(base.value, c - 1),
                       factor * (factor - Enclosure::point(1)) * real_power(base.value, c - 2));
  if (base.value.low < 0) result.slope = result.curvature = kAny;
  return result;
}

}  // namespace

Jet compose(const Jet& u, Enclosure value, Enclosure slope, Enclosure curvature) {
  return {value, slope * u.slope, curvature * square(u.slope) + slope * u.curvature};
}

Jet operator-(const Jet& a) { return {-a.value, -a.slope, -a.curvature}; }

Jet operator+(const Jet& a, const Jet& b) {
  return {a.value + b.value, a.slope + b.slope, a.curvature + b.curvature};
}

Jet operator-(const Jet& a, const Jet& b) { return a + (-b); }

Jet operator*(const Jet& a, const Jet& b) {
  const Enclosure cross = a.slope * b.slope;
  return {a.value * b.value, a.slope * b.value + a.value * b.slope,
          a.curvature * b.value + (cross + cross) + a.value * b.curvature};
}

Jet operator/(const Jet& a, const Jet& b) {
  if (b.value.contains_inside(0)) return Jet::unknown();
  return a * whole_power(b, -1);
}

Jet power(const Jet& base, const Jet& exponent) {
  if (exponent.is_constant() && exponent.value.is_point()) {
    const double c = exponent.value.low;
    if (std::abs(c) < 1e9 && is_whole(c)) return whole_power(base, static_cast<int>(c));
    return positive_power(base, c);
  }
  if (base.value.low < 0) return Jet::unknown();
  return find_jet_function("exp")(exponent * find_jet_function("log")(base));
}

Jet smaller(const Jet& a, const Jet& b) {
  if (a.value.high <= b.value.low) return a;
  if (b.value.high <= a.value.low) return b;
  return either(a, b, {std::min(a.value.low, b.value.low), std::min(a.value.high, b.value.high)});
}

Jet larger(const Jet& a, const Jet& b) { return -smaller(-a, -b); }

Jet select(const Jet& condition, const Jet& value, const Jet& other) {
  if (!condition.value.contains(0)) return value;
  if (condition.value.is_point()) return other;
  return {hull(value.value, other.value), kAny, kAny};
}

}  // namespace asap::region
