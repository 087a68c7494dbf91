#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "numerics/quadratic_program.h"
#include "region/network/piecewise_linear.h"

namespace asap::region {

/// A shape that straight pieces must have on [low, high]: of every piece that reaches inside, and
/// of every knot inside. Without bounds it holds on the whole line.
struct ShapeConstraint {
  enum class Kind { increasing, decreasing, convex, concave };
  Kind kind;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// What straight pieces must keep, in units of x and y. Slopes and shapes hold for the end pieces
/// that continue outside the interval as well; values are bounded on the interval only.
struct PiecesConstraints {
  static constexpr double kInfinite = std::numeric_limits<double>::infinity();

  std::vector<ShapeConstraint> shapes;
  double least_slope = -kInfinite, most_slope = kInfinite;
  double least_value = -kInfinite, most_value = kInfinite;
  std::vector<std::pair<double, double>> through;  ///< (x, y), x ascending and distinct

  bool any() const;
  bool bounds_slopes() const { return least_slope > -kInfinite || most_slope < kInfinite; }
  bool bounds_values() const { return least_value > -kInfinite || most_value < kInfinite; }
  /// Names of the fields that are set, in backquotes: "`through` and `value_bounds`".
  std::string fields() const;
  /// The same in units u = (x - x0) / length and v = (y - y0) / range.
  PiecesConstraints scaled(double x0, double length, double y0, double range) const;
};

/// The constraints at a function as conditions on changes of its knots and values, to first order;
/// exact while knots stay. Variables: the moves of the inner knots [pieces - 1] where
/// `moves_knots`, then the changes of the values [pieces + 1]. `margin` keeps slopes, bends and
/// values away from their bounds, where there is room.
std::vector<numerics::LinearConstraint> linearised(const PiecesConstraints& constraints,
                                                   const PiecewiseLinear& line, bool moves_knots,
                                                   double margin);

/// What a network keeps: measured, for the report.
struct KeptConstraints {
  double least_slope = 0, most_slope = 0, least_value = 0, most_value = 0;
  double through_error = 0;  ///< largest |f(x) - y| at the points that are forced
  double violation = 0;      ///< largest one, in ranges of the network; 0 when all is kept
};
/// Measured on the interval, which holds all forced points. What misses by less than the rounding
/// of the network is kept. Forced points count as a violation beyond 1e-9 ranges.
KeptConstraints kept_constraints(const PiecesConstraints& constraints, const ReluNetwork& network,
                                 numerics::Interval interval);

}  // namespace asap::region
