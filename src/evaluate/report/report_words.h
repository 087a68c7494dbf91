#pragma once

#include <string>
#include <vector>

#include "evaluate/report/report_data.h"

namespace asap::evaluate {

/// Sentences that follow the numbers and take no side: what compiling keeps, what it costs or
/// saves, and whether something simpler does as well. Empty without a compiled method.
std::vector<std::string> comparison_words(const Comparison& comparison);

/// What the scaling measurement says: from how many tokens on compiled is faster than the Sinkhorn
/// loop, or that it is not. Empty where that was not measured.
std::string scaling_words(const ScalingCurves& scaling);

}  // namespace asap::evaluate
