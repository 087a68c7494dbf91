#pragma once

#include "numerics/levenberg_marquardt.h"

namespace asap::region {

struct AdamOptions {
  int steps = 5000;
  double learning_rate = 1e-3;  ///< at the first step; falls to zero along a half cosine
};

/// Minimises the sum of squares by full-batch Adam (Kingma and Ba 2015; beta 0.9 and 0.999, epsilon
/// 1e-8), the paper's optimiser. Returns the final cost; NumericalError when it is not finite.
double adam_fit(numerics::LeastSquaresModel& model, tensor::VectorView<double> parameters,
                const AdamOptions& options);

}  // namespace asap::region
