#pragma once

#include <string>

#include "io/json.h"
#include "region/network/piecewise_linear.h"

namespace asap::region {

/// One line "x,y,slope,intercept" per knot, after a header. Slope and intercept are those of the
/// piece that begins at the knot; at the last knot, of the piece that ends there. Every number
/// reads back as the same double.
std::string segments_csv(const PiecewiseLinear& pieces);

/// {"x": [...], "y": [...], "slope": [...], "intercept": [...]} with the same numbers.
io::Json segments_json(const PiecewiseLinear& pieces);

/// A C99 (and C++) header with the values at `cells` + 1 even places between the first and last
/// knot, and `static inline double NAME(double x)`, which reads the two around x and interpolates;
/// beyond the table its end cells continue. UsageError when `name` cannot name a function in C, or
/// for fewer than one cell or more than 2^24.
std::string export_lookup_table(const PiecewiseLinear& pieces, std::int64_t cells,
                                const std::string& name, const std::string& comment);

/// The pieces that such a table computes. UsageError as above.
PiecewiseLinear lookup_pieces(const PiecewiseLinear& pieces, std::int64_t cells);

}  // namespace asap::region
