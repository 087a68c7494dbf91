// The functions of formulas on jets (find_jet_function of jet.h): each from its value and the first
// two derivatives.

#include <algorithm>
#include <cmath>

#include "region/certify/jet.h"

namespace asap::region {
namespace {

constexpr Enclosure kAny = Enclosure::everything();
constexpr Enclosure kOne = Enclosure::point(1), kTwo = Enclosure::point(2);
constexpr int kUnits = 4;          // of the C library's functions: see enclosure.cpp
constexpr int kComposedUnits = 8;  // of formulas with two of them

/// The part of u in the domain [low, high] of a function.
Jet inside(const Jet& u, double low, double high) {
  if (u.value.low >= low && u.value.high <= high) return u;
  if (u.value.high < low || u.value.low > high) return Jet::unknown();
  return {{std::max(u.value.low, low), std::min(u.value.high, high)}, kAny, kAny};
}

Enclosure clipped(Enclosure a, double low, double high) {
  return {std::max(a.low, low), std::min(a.high, high)};
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Jet sin_jet(const Jet& u) {
  const Enclosure value = sine(u.value);
  return compose(u, value, cosine(u.value), -value);
}

Jet cos_jet(const Jet& u) {
  const Enclosure value = cosine(u.value);
  return compose(u, value, -sine(u.value), -value);
}

Jet tan_jet(const Jet& u) {
  const Enclosure value = tangent(u.value), slope = kOne + square(value);
  if (!std::isfinite(value.magnitude())) return Jet::unknown();
  return compose(u, value, slope, kTwo * value * slope);
}

Jet asin_jet(const Jet& argument) {
  const Jet u = inside(argument, -1, 1);
  const Enclosure rest = clipped(kOne - square(u.value), 0, 1), slope = kOne / square_root(rest);
  return compose(u, rising([](double x) { return std::asin(x); }, u.value, kUnits), slope,
                 u.value * slope / rest);
}

Jet acos_jet(const Jet& argument) {
  const Jet u = inside(argument, -1, 1);
  const Enclosure rest = clipped(kOne - square(u.value), 0, 1), slope = kOne / square_root(rest);
  const Enclosure falling = rising([](double x) { return -std::acos(x); }, u.value, kUnits);
  return compose(u, -falling, -slope, -(u.value * slope / rest));
}

Jet atan_jet(const Jet& u) {
  const Enclosure slope = kOne / (kOne + square(u.value));
  return compose(u, rising([](double x) { return std::atan(x); }, u.value, kUnits), slope,
                 -(kTwo * u.value * square(slope)));
}

Jet sinh_jet(const Jet& u) {
  const Enclosure value = rising([](double x) { return std::sinh(x); }, u.value, kUnits);
  const Enclosure size{u.value.mignitude(), u.value.magnitude()};
  const Enclosure slope = rising([](double x) { return std::cosh(x); }, size, kUnits);
  return compose(u, value, slope, value);
}

Jet cosh_jet(const Jet& u) {
  const Enclosure size{u.value.mignitude(), u.value.magnitude()};
  const Enclosure value = rising([](double x) { return std::cosh(x); }, size, kUnits);
  return compose(u, value, rising([](double x) { return std::sinh(x); }, u.value, kUnits), value);
}

Jet tanh_jet(const Jet& u) {
  const Enclosure value =
      clipped(rising([](double x) { return std::tanh(x); }, u.value, kUnits), -1, 1);
  const Enclosure slope = clipped(kOne - square(value), 0, 1);
  return compose(u, value, slope, -(kTwo * value * slope));
}

Jet asinh_jet(const Jet& u) {
  const Enclosure rest = kOne + square(u.value), slope = kOne / square_root(rest);
  return compose(u, rising([](double x) { return std::asinh(x); }, u.value, kUnits), slope,
                 -(u.value * slope / rest));
}

Jet acosh_jet(const Jet& argument) {
  const Jet u = inside(argument, 1, kInfinity);
  const Enclosure rest = clipped(square(u.value) - kOne, 0, kInfinity);
  const Enclosure slope = kOne / square_root(rest);
  return compose(u, rising([](double x) { return std::acosh(x); }, u.value, kUnits), slope,
                 -(u.value * slope / rest));
}

Jet atanh_jet(const Jet& argument) {
  const Jet u = inside(argument, -1, 1);
  const Enclosure slope = kOne / clipped(kOne - square(u.value), 0, 1);
  return compose(u, rising([](double x) { return std::atanh(x); }, u.value, kUnits), slope,
                 kTwo * u.value * square(slope));
}

Jet log_jet(const Jet& argument) {
  const Jet u = inside(argument, 0, kInfinity);
  const Enclosure slope = kOne / u.value;
  return compose(u, logarithm(u.value), slope, -square(slope));
}

Jet log2_jet(const Jet& u) { return log_jet(u) / log_jet(Jet::constant(2)); }
Jet log10_jet(const Jet& u) { return log_jet(u) / log_jet(Jet::constant(10)); }

Jet exp_jet(const Jet& u) {
  const Enclosure value = exponential(u.value);
  return compose(u, value, value, value);
}

Jet sqrt_jet(const Jet& argument) {
  const Jet u = inside(argument, 0, kInfinity);
  const Enclosure value = square_root(u.value), slope = kOne / (kTwo * value);
  return compose(u, value, slope, -(slope / (kTwo * u.value)));
}

Jet abs_jet(const Jet& u) { return larger(u, -u); }
Jet relu_jet(const Jet& u) { return larger(u, Jet::constant(0)); }

/// A function that is constant between jumps.
Jet steps(Enclosure value) {
  return value.is_point() ? Jet{value, {}, {}} : Jet{value, kAny, kAny};
}

Jet sign_jet(const Jet& u) {
  const auto sign = [](double x) { return static_cast<double>((x > 0) - (x < 0)); };
  return steps({sign(u.value.low), sign(u.value.high)});
}

Jet rint_jet(const Jet& u) {
  // Halves may go either way.
  return steps({std::ceil(u.value.low - 0.5), std::floor(u.value.high + 0.5)});
}

double sigmoid_of(double x) {
  const double small = std::exp(-std::abs(x));
  return x < 0 ? small / (1 + small) : 1 / (1 + small);
}

Enclosure sigmoid_of(Enclosure x) {
  return clipped(rising([](double at) { return sigmoid_of(at); }, x, kComposedUnits), 0, 1);
}

Jet sigmoid_jet(const Jet& u) {
  const Enclosure value = sigmoid_of(u.value), rest = sigmoid_of(-u.value);
  const Enclosure slope = clipped(value * rest, 0, 0.25);
  return compose(u, value, slope, slope * (rest - value));
}

Jet softplus_jet(const Jet& u) {
  const auto of = [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); };
  const Enclosure slope = sigmoid_of(u.value);
  return compose(u, rising(of, u.value, kComposedUnits), slope,
                 clipped(slope * sigmoid_of(-u.value), 0, 0.25));
}

Jet minus_jet(const Jet& u) { return -u; }

struct NamedFunction {
  std::string_view name;
  JetFunction function;
};
constexpr NamedFunction kFunctions[] = {
    {"negate", minus_jet},   {"sin", sin_jet},   {"cos", cos_jet},           {"tan", tan_jet},
    {"asin", asin_jet},      {"acos", acos_jet}, {"atan", atan_jet},         {"sinh", sinh_jet},
    {"cosh", cosh_jet},      {"tanh", tanh_jet}, {"asinh", asinh_jet},       {"acosh", acosh_jet},
    {"atanh", atanh_jet},    {"ln", log_jet},    {"log", log_jet},           {"log2", log2_jet},
    {"log10", log10_jet},    {"exp", exp_jet},   {"sqrt", sqrt_jet},         {"abs", abs_jet},
    {"sign", sign_jet},      {"rint", rint_jet}, {"softplus", softplus_jet}, {"relu", relu_jet},
    {"sigmoid", sigmoid_jet}};

}  // namespace

JetFunction find_jet_function(std::string_view name) {
  for (const NamedFunction& known : kFunctions)
    if (known.name == name) return known.function;
  return nullptr;
}

}  // namespace asap::region
