#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "region/network/piecewise_linear.h"

namespace asap::region {

/// A fixed-point number q stands for offset + scale * q / 2^bits with q in [-2^bits, 2^bits - 1]:
/// Q15 for 15 bits, Q31 for 31.
struct FixedScale {
  double offset = 0, scale = 1;
  int bits = 15;

  std::int64_t lowest() const { return -(std::int64_t{1} << bits); }
  std::int64_t highest() const { return (std::int64_t{1} << bits) - 1; }
  double step() const { return scale / static_cast<double>(std::int64_t{1} << bits); }
  double value(std::int64_t q) const { return offset + step() * static_cast<double>(q); }
  /// The nearest number, within the range.
  std::int64_t nearest(double value) const;
};

/// Straight pieces in integers: input and output are fixed-point numbers of equal width.
struct FixedPieces {
  FixedScale input, output;
  std::vector<std::int64_t> x, y;  ///< knots, x ascending and distinct
  /// A bound of |output(q) - pieces(input(q))| over all q between the first and last knot.
  double error = 0;

  /// What the exported code computes, bit for bit: linear interpolation between the knots, rounded
  /// to the nearest; beyond them the end values.
  std::int64_t operator()(std::int64_t q) const;
};

/// Rounds the pieces to fixed point. The interval of the knots becomes the range of the input, the
/// least and largest value the range of the output. bits: 15 or 31.
FixedPieces to_fixed_point(const PiecewiseLinear& pieces, int bits);

/// A C99 (and C++) header with `static inline int16_t NAME(int16_t x)` (int32_t for Q31) in integer
/// arithmetic, and macros with the offsets and steps of both numbers. UsageError when `name` cannot
/// name a function in C.
std::string export_fixed_point(const FixedPieces& pieces, const std::string& name,
                               const std::string& comment);

}  // namespace asap::region
