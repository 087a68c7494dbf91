#pragma once

#include "region/ridge/ridge_fit.h"

namespace asap::region {

/// The sum of ridge splines that generalises best, and whether it may beat the linear model.
struct SumChoice {
  RidgeSum sum;           ///< the best sum with ridges, fitted to the training rows
  LinearModel linear;     ///< fitted to the training rows
  bool promising = true;  ///< the sum may well be better than the linear model
};

/// Tries sums of 1, 2, ... ridges and several roughness penalties. They are judged on rows that
/// they have not seen: the validation rows, or where these are fewer than 400, by cross-validation
/// in five parts on all rows. The fewest ridges win whose mean squared error is within one standard
/// error of the least (Breiman et al. 1984). The sum is promising if it is better than the linear
/// model by two standard errors (sureness_of()). NumericalError where no direction is found.
SumChoice choose_sum(const LearningRows& rows, const RidgeFitOptions& options);

}  // namespace asap::region
