#pragma once

#include <optional>
#include <vector>

#include "numerics/curve.h"
#include "region/network/samples.h"
#include "region/pieces/piecewise_network.h"

namespace asap::region {

/// Where a function must stay within the tolerance.
enum class Within {
  samples,  ///< at every x_i
  chords,   ///< between them as well, of the straight line from each sample to the next
};

/// A continuous function with the fewest pieces of all that stay within y_i - tolerance and
/// y_i + tolerance at every x_i, or of the chords. Its inner knots are anywhere. Weights play no
/// part. None when more than `most_pieces` are needed.
///
/// Each piece is the line that reaches farthest (a minimum-link path, Suri 1986; ordered stabbing,
/// Guibas et al. 1993). When no line meets the next point's gate from below, say, the extreme line
/// touches the top of a gate b; every function with one more piece crosses it between gate b and
/// the next one. So the next piece is a line that is below the extreme line at b, below the tops
/// of the gates after b, and meets the gates from the next one on: half-planes in the plane of
/// lines, which are cut one after the other. With chords, the crossing lies before the place where
/// the extreme line leaves the tolerance.
std::optional<PiecewiseLinear> fewest_pieces(const Samples& samples, double tolerance,
                                             int most_pieces, Within within);

/// The same within tolerance - half_range_i of y_i at every x_i: within the tolerance of all points
/// of which y_i is the middle and half_range_i half the distance. half_range: [samples], or empty
/// for zeros.
std::optional<PiecewiseLinear> fewest_pieces(const Samples& samples,
                                             const std::vector<double>& half_range,
                                             double tolerance, int most_pieces);

/// Largest |function - y| over the samples.
double max_error(const PiecewiseLinear& function, const Samples& samples);

/// Samples of f that straight lines between neighbours follow to within `deviation`, as far as f
/// at the middles shows: an even grid of `least` cells, halved where needed. At most `most`
/// samples; none when more are needed.
std::optional<Samples> following_samples(const numerics::Curve& f, numerics::Interval interval,
                                         double deviation, int least, int most);

}  // namespace asap::region
