#pragma once

#include <cstddef>

#include "region/network/piecewise_linear.h"

namespace asap::region {

/// The same function with one more knot at `place`, inside its piece `piece`.
PiecewiseLinear with_knot(PiecewiseLinear line, std::size_t piece, double place);

/// Without the inner knot that is missed least: the size of its corner times the length over which
/// it would be missed. The values of the others stay.
PiecewiseLinear without_idle_knot(PiecewiseLinear line);

/// The same function from `low` to `high`, over which the end pieces go on or end earlier.
PiecewiseLinear reaching(PiecewiseLinear line, double low, double high);

}  // namespace asap::region
