#pragma once

#include <cstdint>
#include <vector>

#include "region/network/region_count.h"
#include "region/network/relu_network.h"

namespace asap::region {

/// A function of straight pieces between knots (x_i, y_i). Two knots at the same x are a jump.
struct PiecewiseLinear {
  std::vector<double> x;  ///< ascending: [pieces + 1], at least two
  std::vector<double> y;  ///< [pieces + 1]

  std::int64_t pieces() const { return static_cast<std::int64_t>(x.size()) - 1; }
  double slope(std::int64_t piece) const;
  double intercept(std::int64_t piece) const;  ///< of the piece's line at x = 0
  /// The value at x; beyond the knots the end pieces continue.
  double operator()(double x) const;
};

/// The linear regions of a network of one input on an interval, as count_regions() finds them.
PiecewiseLinear pieces_of(const ReluNetwork& network, numerics::Interval interval);

/// The rounding of a float type.
struct Rounding {
  double unit = 0x1p-53;         ///< largest relative error of a result: 2^-24 for float
  double underflow = 0x1p-1074;  ///< largest absolute error of a tiny one: 2^-149 for float
  bool weights = false;          ///< the weights are rounded to the type as well

  static Rounding of_float() { return {0x1p-24, 0x1p-149, true}; }
};

/// A bound of |network(x) - pieces(x)| between the first and the last knot, where the network is
/// evaluated with this rounding and any order of summation, and pieces are exact lines. Jumps have
/// no bound: infinity.
double largest_deviation(const ReluNetwork& network, const PiecewiseLinear& pieces,
                         Rounding rounding = {});

}  // namespace asap::region
