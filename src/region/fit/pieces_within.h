#pragma once

#include <optional>

#include "region/certify/expression.h"
#include "region/network/piecewise_linear.h"
#include "region/target/target.h"

namespace asap::region {

/// Straight pieces within a tolerance.
struct PiecesWithin {
  PiecewiseLinear function;
  double max_error = 0;  ///< of a function, a proven bound; of points, at the points
  int fewest = 0;        ///< no continuous piecewise linear function with fewer is within it
};

/// The share of a tolerance that rounding may take from the fewest pieces within it at points.
inline constexpr double kLeastMargin = 1e-9;

/// At most `most_pieces` straight pieces within the tolerance of the points, or everywhere of the
/// function when `formula` is given; none when more are needed or the bound cannot be proved.
///
/// A function is replaced by samples that it follows closely between. Within the tolerance of the
/// samples alone no more pieces are needed than within that of the function: this gives `fewest`.
/// Pieces within the tolerance of the chords are then proved to be within that of the function;
/// where this fails, a sample is added (an exchange algorithm).
///
/// Of points, the function keeps a share `margin` of the tolerance free, for the rounding of a
/// network that computes it; `fewest` is then for what is left.
std::optional<PiecesWithin> pieces_within(const Target& target, const Expression* formula,
                                          double tolerance, int most_pieces,
                                          double margin = kLeastMargin);

}  // namespace asap::region
