#pragma once

#include "region/family/folded_function.h"
#include "region/network/samples.h"

namespace asap::region {

/// Weighted least squares for everything that enters a folded function linearly, its node values
/// and scales, with nodes and pieces as they are. Each window is eliminated to its two node values,
/// what remains is tridiagonal: the time is linear in samples and windows. A ridge of 1e-11 of the
/// diagonal holds down scales that the samples do not determine.
///
/// NumericalError when the equations cannot be solved in float64.
void fit_linear_part(FoldedFunction& function, const Samples& samples);

}  // namespace asap::region
