#pragma once

#include <string_view>

#include "region/certify/enclosure.h"

namespace asap::region {

/// What is known of a function of x on an enclosure of x.
///
/// value: holds f(x). slope: holds (f(b) - f(a)) / (b - a) for any a and b of the enclosure;
/// everything where f may jump. curvature: holds f''(x), and f' is continuous; everything where f
/// may have a corner.
struct Jet {
  Enclosure value, slope, curvature;

  static Jet constant(double value) { return {Enclosure::point(value), {}, {}}; }
  static Jet variable(Enclosure x) { return {x, Enclosure::point(1), {}}; }
  /// Nothing is known.
  static Jet unknown() {
    return {Enclosure::everything(), Enclosure::everything(), Enclosure::everything()};
  }
  bool is_constant() const {
    return slope.low == 0 && slope.high == 0 && curvature.low == 0 && curvature.high == 0;
  }
};

Jet operator-(const Jet& a);
Jet operator+(const Jet& a, const Jet& b);
Jet operator-(const Jet& a, const Jet& b);
Jet operator*(const Jet& a, const Jet& b);
Jet operator/(const Jet& a, const Jet& b);
Jet power(const Jet& base, const Jet& exponent);

Jet smaller(const Jet& a, const Jet& b);
Jet larger(const Jet& a, const Jet& b);
/// `value` where the condition is not zero, else `other`.
Jet select(const Jet& condition, const Jet& value, const Jet& other);

/// g(u) from the enclosures of g, g' and g'' on u.
Jet compose(const Jet& u, Enclosure value, Enclosure slope, Enclosure curvature);

/// A function of one argument on jets, by its name in formulas; nullptr for other names.
using JetFunction = Jet (*)(const Jet&);
JetFunction find_jet_function(std::string_view name);

}  // namespace asap::region
