#pragma once

#include <span>

#include "compile/teacher_sample.h"

namespace asap::compile {

/// One sample of a fit.
struct FitSample {
  tensor::Tensor<double> features;  // centred: [P, n]
  std::vector<double> target;       // [n]
};

/// Weights of a dual map that minimise an objective of the *closed* plan (kl, output or dual; see
/// DualObjective), by Adam on all samples, starting from `weights`.
///
/// With g the column c-transform of f̂ and E = exp(S + f̂ + g), the rebuilt plan is E with rows
/// normalised. A change of g_j by one changes f̂_i by -(M/N) E_ij, so every gradient is one pass
/// over E.
///
/// `fits` and `samples` describe the same examples.
std::vector<double> fit_by_descent(std::span<const FitSample> fits,
                                   std::span<const TeacherSample> samples, DualObjective objective,
                                   const DescentConfig& config, std::vector<double> weights);

/// Value of the objective and its gradient with respect to the row dual f̂ for one sample; this is
/// what fit_by_descent sums. kl is the mean over rows, output the sum of squares over that of the
/// teacher's output, dual the mean over queries of minus the entropic dual. row_dual, gradient:
/// [n].
double plan_objective(const TeacherSample& sample, DualObjective objective,
                      tensor::VectorView<const double> row_dual,
                      tensor::VectorView<double> gradient);

}  // namespace asap::compile
