#pragma once

#include <string>
#include <vector>

#include "evaluate/report/report_data.h"

namespace asap::evaluate {

/// Sentences that follow from the numbers, the verdict first: the best trade-offs, what compiling
/// keeps, costs or saves, and whether something simpler does as well. Empty without a compiled
/// method.
std::vector<std::string> comparison_words(const Comparison& comparison);

/// The verdict of a scaling measurement: from how many tokens on compiled is faster than the
/// Sinkhorn loop, or that it is not. Empty without measurements of both.
std::string scaling_words(const ScalingCurves& scaling);

}  // namespace asap::evaluate
