#pragma once

#include <cmath>
#include <limits>

namespace asap::attention {

/// When the closure of a dual map is followed by Sinkhorn iterations. The column error of its
/// plan, mean_j |M/N sum_i A_ij - 1|, is known from one more row and column update, which are the
/// next iteration if there is one. The defaults measure and never iterate.
struct ColumnGuard {
  double trigger = std::numeric_limits<double>::infinity();  ///< iterate if the error exceeds this,
  double target = std::numeric_limits<double>::infinity();   ///< until it is at most this,
  int most_iterations = 0;                                   ///< at most this often
};

/// What a guard saw and did in one head of one example.
struct ColumnCertificate {
  /// Of the last plan that was measured, or a bound of it (see GuardedOperator). NaN where nothing
  /// was measured, 0 without queries or keys.
  double column_error = std::numeric_limits<double>::quiet_NaN();
  int iterations = 0;  ///< that the guard added
  /// The column error of the plan that the teacher's loop starts from, softmax attention's: of maps
  /// that start there, too (DualFeatures::start). NaN where it was not measured.
  double start_error = std::numeric_limits<double>::quiet_NaN();

  /// Notes the column error of the current plan, and whether one more iteration follows: then it
  /// counts. An error that is NaN ends the iterations.
  bool goes_on(const ColumnGuard& guard, double error) {
    column_error = error;
    const double limit = iterations == 0 ? guard.trigger : guard.target;
    if (!(error > limit) || iterations >= guard.most_iterations) return false;
    ++iterations;
    return true;
  }
};

}  // namespace asap::attention
