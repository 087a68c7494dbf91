#pragma once

#include "region/target/target.h"

namespace asap::region {

/// Samples of the guide curve of a target in unit scale, on which networks are fitted: even ones
/// for a function and for even points without weights. Otherwise every stretch has its share of the
/// points' weight: where half of the weight is, half of the samples are.
Samples guide_samples(const Target& unit, int count);

}  // namespace asap::region
