#pragma once

#include <cstdint>
#include <vector>

#include "region/network/relu_network.h"
#include "region/network/samples.h"

namespace asap::region {

/// A continuous piecewise linear function. Outside the knots its end pieces continue.
struct Polyline {
  std::vector<double> knots;   ///< [pieces + 1], ascending and distinct
  std::vector<double> values;  ///< [pieces + 1], at the knots

  std::int64_t pieces() const { return static_cast<std::int64_t>(knots.size()) - 1; }
  double slope(std::size_t piece) const {
    return (values[piece + 1] - values[piece]) / (knots[piece + 1] - knots[piece]);
  }
  /// Index of the piece that holds x; outside the knots, of the nearest one.
  std::size_t piece_at(double x) const;
  double operator()(double x) const;
};

/// sum_i w_i (f(x_i) - y_i)^2 / sum_i w_i
double mean_squared_error(const Polyline& polyline, const Samples& samples);

/// Joins neighbouring pieces whose slopes agree: a knot goes when the function without it differs
/// there by at most `tolerance`.
Polyline without_idle_knots(const Polyline& polyline, double tolerance);

/// The network of one hidden layer that equals the polyline on the whole line: one neuron a piece,
/// at least two. Left of a middle knot neurons look left, right of it right, so that no large
/// numbers cancel.
ReluNetwork to_network(const Polyline& polyline);

}  // namespace asap::region
