#include "region/certify/enclosure.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace asap::region {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Largest known errors of the functions of the GNU C library are 2 units in the last place (its
/// manual, "Known Maximum Errors in Math Functions"); other libraries are close to it.
constexpr int kLibraryUnits = 4;

double below(double value, int units) {
  if (std::isnan(value)) return -kInfinity;
  if (value == kInfinity) return std::numeric_limits<double>::max();
  const double step = std::abs(value) * (units * std::numeric_limits<double>::epsilon());
  return value - (step + std::numeric_limits<double>::denorm_min());
}

double above(double value, int units) { return -below(-value, units); }

/// Results of the four operations are rounded to nearest: less than one unit in the last place.
Enclosure rounded(double low, double high) { return {below(low, 1), above(high, 1)}; }

double product(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }

/// Whether offset + period * k, k whole, may lie in a.
bool may_contain(Enclosure a, double offset, double period) {
  const double slack = 1e-14 * (1 + a.magnitude());
  const double first = std::ceil((a.low - slack - offset) / period);
  return offset + first * period <= a.high + slack;
}

}  // namespace

double Enclosure::magnitude() const { return std::max(std::abs(low), std::abs(high)); }

double Enclosure::mignitude() const {
  return contains(0) ? 0 : std::min(std::abs(low), std::abs(high));
}

Enclosure operator-(Enclosure a) { return {-a.high, -a.low}; }
Enclosure operator+(Enclosure a, Enclosure b) { return rounded(a.low + b.low, a.high + b.high); }
Enclosure operator-(Enclosure a, Enclosure b) { return rounded(a.low - b.high, a.high - b.low); }

Enclosure operator*(Enclosure a, Enclosure b) {
  const double ll = product(a.low, b.low), lh = product(a.low, b.high);
  const double hl = product(a.high, b.low), hh = product(a.high, b.high);
  return rounded(std::min({ll, lh, hl, hh}), std::max({ll, lh, hl, hh}));
}

Enclosure operator/(Enclosure a, Enclosure b) {
  if (b.contains_inside(0) || (b.low == 0 && b.high == 0)) return Enclosure::everything();
  const double low = b.high == 0 ? -kInfinity : 1 / b.high;
  const double high = b.low == 0 ? kInfinity : 1 / b.low;
  return a * rounded(low, high);
}

Enclosure hull(Enclosure a, Enclosure b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

Enclosure intersection(Enclosure a, Enclosure b) {
  const Enclosure both{std::max(a.low, b.low), std::min(a.high, b.high)};
  return both.low <= both.high ? both : a;
}

Enclosure widened(Enclosure a, int units) { return {below(a.low, units), above(a.high, units)}; }

Enclosure square(Enclosure a) { return power(a, 2); }

Enclosure power(Enclosure a, int n) {
  if (n == 0) return Enclosure::point(1);
  if (n == 1) return a;
  if (n < 0) return Enclosure::point(1) / power(a, -n);
  const auto of = [n](double x) { return std::pow(x, n); };
  if (n % 2 != 0) return rising(of, a, kLibraryUnits);
  const Enclosure result = rising(of, {a.mignitude(), a.magnitude()}, kLibraryUnits);
  return {std::max(result.low, 0.0), result.high};
}

Enclosure real_power(Enclosure a, double c) {
  const Enclosure base{std::max(a.low, 0.0), std::max(a.high, 0.0)};
  const double first = std::pow(base.low, c), second = std::pow(base.high, c);
  const Enclosure result =
      widened({std::min(first, second), std::max(first, second)}, kLibraryUnits);
  return {std::max(result.low, 0.0), result.high};
}

Enclosure square_root(Enclosure a) {
  const Enclosure root = rounded(std::sqrt(std::max(a.low, 0.0)), std::sqrt(std::max(a.high, 0.0)));
  return {std::max(root.low, 0.0), root.high};
}

Enclosure exponential(Enclosure a) {
  const Enclosure result = rising([](double x) { return std::exp(x); }, a, kLibraryUnits);
  return {std::max(result.low, 0.0), result.high};
}

Enclosure logarithm(Enclosure a) {
  return rising([](double x) { return std::log(std::max(x, 0.0)); }, a, kLibraryUnits);
}

Enclosure sine(Enclosure a) {
  // Beyond this size the places of the extrema are not known well enough.
  if (!(a.magnitude() < 1e8)) return {-1, 1};
  const double low = std::sin(a.low), high = std::sin(a.high), half = std::numbers::pi / 2;
  Enclosure result = widened({std::min(low, high), std::max(low, high)}, kLibraryUnits);
  if (may_contain(a, half, 4 * half)) result.high = 1;
  if (may_contain(a, -half, 4 * half)) result.low = -1;
  return {std::max(result.low, -1.0), std::min(result.high, 1.0)};
}

Enclosure cosine(Enclosure a) {
  if (!(a.magnitude() < 1e8)) return {-1, 1};
  const double low = std::cos(a.low), high = std::cos(a.high);
  Enclosure result = widened({std::min(low, high), std::max(low, high)}, kLibraryUnits);
  if (may_contain(a, 0, 2 * std::numbers::pi)) result.high = 1;
  if (may_contain(a, std::numbers::pi, 2 * std::numbers::pi)) result.low = -1;
  return {std::max(result.low, -1.0), std::min(result.high, 1.0)};
}

Enclosure tangent(Enclosure a) {
  if (!(a.magnitude() < 1e8) || may_contain(a, std::numbers::pi / 2, std::numbers::pi))
    return Enclosure::everything();
  return rising([](double x) { return std::tan(x); }, a, kLibraryUnits);
}

}  // namespace asap::region
