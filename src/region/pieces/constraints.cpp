#include "region/pieces/constraints.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace asap::region {
namespace {

using Kind = ShapeConstraint::Kind;

constexpr double kUnit = 4e-16;  // relative rounding of a number and of what it came from

/// Builds the conditions of linearised().
class Linearisation {
 public:
  Linearisation(const PiecewiseLinear& line, bool moves_knots, double margin)
      : line_(line), pieces_(line.pieces()), moves_knots_(moves_knots), margin_(margin) {}

  /// sign * slope of the piece >= sign * bound. Linear in knots and values together.
  void bound_slope(std::int64_t piece, double bound, double sign) {
    const double length = at(line_.x, piece + 1) - at(line_.x, piece);
    const double rise = at(line_.y, piece + 1) - at(line_.y, piece);
    start();
    value(piece, -sign);
    value(piece + 1, sign);
    move(piece, sign * bound);
    move(piece + 1, -sign * bound);
    finish(sign * (bound * length - rise) + margin_ * length);
  }

  /// sign * (change of slope at the knot) >= 0, times the lengths beside it.
  void bend(std::int64_t knot, double sign) {
    const double left = at(line_.x, knot) - at(line_.x, knot - 1);
    const double right = at(line_.x, knot + 1) - at(line_.x, knot);
    const double fall = at(line_.y, knot) - at(line_.y, knot - 1);
    const double rise = at(line_.y, knot + 1) - at(line_.y, knot);
    start();
    value(knot - 1, sign * right);
    value(knot, -sign * (left + right));
    value(knot + 1, sign * left);
    move(knot - 1, -sign * rise);
    move(knot, sign * (rise + fall));
    move(knot + 1, -sign * fall);
    finish(-sign * (rise * left - fall * right) + margin_ * left * right);
  }

  /// sign * value >= sign * bound
  void bound_value(std::int64_t knot, double bound, double sign) {
    start();
    value(knot, sign);
    finish(sign * (bound - at(line_.y, knot)) + margin_);
  }

  void pass_through(double x, double y) {
    const std::int64_t piece = std::clamp<std::int64_t>(
        std::upper_bound(line_.x.begin(), line_.x.end(), x) - line_.x.begin() - 1, 0, pieces_ - 1);
    const double t = (x - at(line_.x, piece)) / (at(line_.x, piece + 1) - at(line_.x, piece));
    const double slope = line_.slope(piece);
    start();
    value(piece, 1 - t);
    value(piece + 1, t);
    move(piece, -slope * (1 - t));
    move(piece + 1, -slope * t);
    finish(y - at(line_.y, piece) * (1 - t) - at(line_.y, piece + 1) * t, true);
  }

  std::vector<numerics::LinearConstraint> take() && { return std::move(all_); }

 private:
  static double at(const std::vector<double>& values, std::int64_t index) {
    return values[static_cast<std::size_t>(index)];
  }
  void start() { now_ = {}; }
  void value(std::int64_t knot, double factor) {
    now_.terms.push_back({(moves_knots_ ? pieces_ - 1 : 0) + knot, factor});
  }
  void move(std::int64_t knot, double factor) {
    if (moves_knots_ && knot > 0 && knot < pieces_ && factor != 0)
      now_.terms.push_back({knot - 1, factor});
  }
  void finish(double bound, bool equality = false) {
    now_.bound = bound;
    now_.equality = equality;
    all_.push_back(std::move(now_));
  }

  const PiecewiseLinear& line_;
  std::int64_t pieces_;
  bool moves_knots_;
  double margin_;
  numerics::LinearConstraint now_;
  std::vector<numerics::LinearConstraint> all_;
};

bool is_bend(Kind kind) { return kind == Kind::convex || kind == Kind::concave; }
double sign_of(Kind kind) { return kind == Kind::increasing || kind == Kind::convex ? 1 : -1; }

/// Calls see(index) for every piece that reaches inside the shape's bounds, or every knot inside.
template <class See>
void for_each_place(const ShapeConstraint& shape, const PiecewiseLinear& line, const See& see) {
  const double least = 1e-9 * (line.x.back() - line.x.front());
  for (std::int64_t k = 0; k < line.pieces(); ++k) {
    const double left = line.x[static_cast<std::size_t>(k)];
    const double right = line.x[static_cast<std::size_t>(k) + 1];
    if (is_bend(shape.kind)) {
      if (k > 0 && left > shape.low && left < shape.high) see(k);
      continue;
    }
    // The end pieces continue outside.
    const bool reaches = (k == 0 || left < shape.high - least) &&
                         (k + 1 == line.pieces() || right > shape.low + least);
    if (reaches) see(k);
  }
}

}  // namespace

bool PiecesConstraints::any() const {
  return !shapes.empty() || bounds_slopes() || bounds_values() || !through.empty();
}

std::string PiecesConstraints::fields() const {
  std::vector<std::string> names;
  const auto add = [&](const char* name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  };
  for (const ShapeConstraint& shape : shapes) {
    if (std::isfinite(shape.low) || std::isfinite(shape.high))
      add("`shape`");
    else
      add(!is_bend(shape.kind)         ? "`monotone`"
          : shape.kind == Kind::convex ? "`convex`"
                                       : "`concave`");
  }
  if (bounds_slopes()) names.emplace_back("`slope_bounds`");
  if (bounds_values()) names.emplace_back("`value_bounds`");
  if (!through.empty()) names.emplace_back("`through`");
  if (names.size() < 2) return base::join(names, "");
  const std::string last = names.back();
  names.pop_back();
  return base::join(names, ", ") + " and " + last;
}

PiecesConstraints PiecesConstraints::scaled(double x0, double length, double y0,
                                            double range) const {
  PiecesConstraints unit = *this;
  for (ShapeConstraint& shape : unit.shapes) {
    shape.low = (shape.low - x0) / length;
    shape.high = (shape.high - x0) / length;
  }
  for (double* slope : {&unit.least_slope, &unit.most_slope}) *slope *= length / range;
  for (double* value : {&unit.least_value, &unit.most_value}) *value = (*value - y0) / range;
  for (auto& [x, y] : unit.through) {
    x = (x - x0) / length;
    y = (y - y0) / range;
  }
  return unit;
}

std::vector<numerics::LinearConstraint> linearised(const PiecesConstraints& constraints,
                                                   const PiecewiseLinear& line, bool moves_knots,
                                                   double margin) {
  const PiecesConstraints& c = constraints;
  const double slope_room = c.most_slope - c.least_slope > 4 * margin ? margin : 0;
  const double value_room = c.most_value - c.least_value > 4 * margin ? margin : 0;
  std::vector<numerics::LinearConstraint> all;
  const auto with_margin = [&](double room, const auto& build) {
    Linearisation part(line, moves_knots, room);
    build(part);
    for (numerics::LinearConstraint& constraint : std::move(part).take())
      all.push_back(std::move(constraint));
  };
  with_margin(0, [&](Linearisation& part) {
    for (const auto& [x, y] : c.through) part.pass_through(x, y);
  });
  with_margin(slope_room, [&](Linearisation& part) {
    for (std::int64_t k = 0; k < line.pieces() && c.bounds_slopes(); ++k) {
      if (std::isfinite(c.least_slope)) part.bound_slope(k, c.least_slope, 1);
      if (std::isfinite(c.most_slope)) part.bound_slope(k, c.most_slope, -1);
    }
  });
  with_margin(margin, [&](Linearisation& part) {
    for (const ShapeConstraint& shape : c.shapes) {
      const double sign = sign_of(shape.kind);
      for_each_place(shape, line, [&](std::int64_t k) {
        if (is_bend(shape.kind))
          part.bend(k, sign);
        else
          part.bound_slope(k, 0, sign);
      });
    }
  });
  with_margin(value_room, [&](Linearisation& part) {
    for (std::int64_t k = 0; k <= line.pieces() && c.bounds_values(); ++k) {
      if (std::isfinite(c.least_value)) part.bound_value(k, c.least_value, 1);
      if (std::isfinite(c.most_value)) part.bound_value(k, c.most_value, -1);
    }
  });
  return all;
}

KeptConstraints kept_constraints(const PiecesConstraints& constraints, const ReluNetwork& network,
                                 numerics::Interval interval) {
  const RegionCount regions = count_regions(network, interval);
  PiecewiseLinear function{regions.breakpoints, {}};
  function.y.resize(function.x.size());
  network.evaluate(function.x, function.y);
  const auto [low, high] = std::minmax_element(function.y.begin(), function.y.end());
  const double magnitude = std::max(std::abs(*low), std::abs(*high));
  const double size = *high > *low ? *high - *low : std::max(magnitude, 1e-300);
  const double rounding = 1e-13 * magnitude;
  const double by_slope = (interval.high - interval.low) / size;
  KeptConstraints kept;
  kept.least_value = *low;
  kept.most_value = *high;
  kept.least_slope = *std::min_element(regions.slopes.begin(), regions.slopes.end());
  kept.most_slope = *std::max_element(regions.slopes.begin(), regions.slopes.end());
  const auto violated = [&](double by) { kept.violation = std::max(kept.violation, by); };
  const auto at = [](std::int64_t piece) { return static_cast<std::size_t>(piece); };
  // Of knots and values as well, which are stored with their offsets.
  std::vector<double> errors = regions.slope_errors;
  for (std::size_t k = 0; k < errors.size(); ++k) {
    const double left = function.x[k], right = function.x[k + 1];
    errors[k] +=
        kUnit *
        (magnitude + std::abs(regions.slopes[k]) * std::max(std::abs(left), std::abs(right))) /
        (right - left);
  }
  for (std::size_t k = 0; k < regions.slopes.size(); ++k) {
    const double slope = regions.slopes[k], error = errors[k];
    violated((constraints.least_slope - slope - error) * by_slope);
    violated((slope - constraints.most_slope - error) * by_slope);
  }
  violated((constraints.least_value - kept.least_value - rounding) / size);
  violated((kept.most_value - constraints.most_value - rounding) / size);
  for (const ShapeConstraint& shape : constraints.shapes) {
    for_each_place(shape, function, [&](std::int64_t k) {
      double slope = regions.slopes[at(k)], error = errors[at(k)];
      if (is_bend(shape.kind)) {
        slope -= regions.slopes[at(k - 1)];
        error += errors[at(k - 1)];
      }
      violated((-sign_of(shape.kind) * slope - error) * by_slope);
    });
  }
  const double steepest = std::max(std::abs(kept.least_slope), std::abs(kept.most_slope));
  for (const auto& [x, y] : constraints.through) {
    const double missed = std::abs(function(x) - y);
    kept.through_error = std::max(kept.through_error, missed);
    violated((missed - rounding - kUnit * std::abs(x) * steepest) / size - 1e-9);
  }
  return kept;
}

}  // namespace asap::region
