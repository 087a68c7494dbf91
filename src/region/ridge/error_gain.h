#pragma once

#include <vector>

namespace asap::region {

/// How sure it is that a model is better than another, in standard errors: of the mean gain in
/// squared error or of the share of rows that gain, whichever says more. The share tells where a
/// few rows have errors far above all others. gain: squared error of the other model less that of
/// the model, by row. 0 if the mean is not positive.
double sureness_of(const std::vector<double>& gain);

}  // namespace asap::region
