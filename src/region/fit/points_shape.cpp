#include "region/fit/points_shape.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace asap::region {
namespace {

/// The largest error that rounding to decimals may have made: half a unit of the last decimal that
/// all values need, up to nine of them; 0 where they need more.
double rounding_error(const std::vector<double>& y) {
  double largest = 0;
  for (const double value : y) largest = std::max(largest, std::abs(value));
  for (int decimals = 0; decimals <= 9; ++decimals) {
    const double unit = std::pow(10.0, -decimals);
    const bool all = std::ranges::all_of(y, [&](double value) {
      const double steps = value / unit;
      const double negligible = 1e-9 * std::max(std::abs(steps), 1e-3 * largest / unit);
      return std::abs(steps - std::round(steps)) <= negligible && std::abs(steps) < 1e15;
    });
    if (all) return 0.5 * unit;
  }
  return 0;
}

/// Largest distance of sign * y above the convex hull from below.
double height_above_hull(const Samples& points, double sign) {
  std::vector<std::size_t> hull;
  const auto y = [&](std::size_t i) { return sign * points.y[i]; };
  const auto line = [&](std::size_t a, std::size_t b, double x) {
    const double part = (x - points.x[a]) / (points.x[b] - points.x[a]);
    return y(a) + part * (y(b) - y(a));
  };
  for (std::size_t i = 0; i < points.x.size(); ++i) {
    while (hull.size() > 1 &&
           y(hull.back()) >= line(hull[hull.size() - 2], i, points.x[hull.back()]))
      hull.pop_back();
    hull.push_back(i);
  }
  double largest = 0;
  for (std::size_t k = 0; k + 1 < hull.size(); ++k)
    for (std::size_t i = hull[k] + 1; i < hull[k + 1]; ++i)
      largest = std::max(largest, y(i) - line(hull[k], hull[k + 1], points.x[i]));
  return largest;
}

/// Largest fall of sign * y from any point to a later one.
double largest_fall(const Samples& points, double sign) {
  double highest = sign * points.y.front(), largest = 0;
  for (const double y : points.y) {
    highest = std::max(highest, sign * y);
    largest = std::max(largest, highest - sign * y);
  }
  return largest;
}

}  // namespace

Shape shape_of(const Samples& points) {
  const auto [low, high] = std::ranges::minmax(points.y);
  // Two rounded values differ from true ones by two errors.
  const double slack = std::max(2 * rounding_error(points.y), 1e-9 * (high - low)) * (1 + 1e-6);
  return {height_above_hull(points, 1) <= slack, height_above_hull(points, -1) <= slack,
          largest_fall(points, 1) <= slack, largest_fall(points, -1) <= slack};
}

Shape shape_of(const PiecewiseLinear& function) {
  Shape shape{true, true, true, true};
  for (std::int64_t k = 0; k < function.pieces(); ++k) {
    const double slope = function.slope(k);
    shape.increasing = shape.increasing && slope >= 0;
    shape.decreasing = shape.decreasing && slope <= 0;
    if (k == 0) continue;
    shape.convex = shape.convex && slope >= function.slope(k - 1);
    shape.concave = shape.concave && slope <= function.slope(k - 1);
  }
  return shape;
}

bool includes(const Shape& have, const Shape& wanted) {
  return (have.convex || !wanted.convex) && (have.concave || !wanted.concave) &&
         (have.increasing || !wanted.increasing) && (have.decreasing || !wanted.decreasing);
}

}  // namespace asap::region
