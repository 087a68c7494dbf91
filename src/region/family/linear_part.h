#pragma once

#include "region/family/folded_function.h"
#include "region/network/samples.h"

namespace asap::region {

/// Weighted least squares for everything that enters a folded function linearly: its node values
/// and scales, at fixed nodes and pieces. Each window is reduced to its two node values, which
/// leaves tridiagonal equations: the time is linear in samples and windows. A ridge of 1e-11 times
/// the diagonal bounds scales that the samples do not determine.
///
/// NumericalError when the equations cannot be solved in float64.
void fit_linear_part(FoldedFunction& function, const Samples& samples);

}  // namespace asap::region
