#pragma once

#include "attention/transport/transport_map.h"
#include "compile/dual_fit.h"

namespace asap::compile {

/// Fits the dual map of a transport with dustbins to a teacher of T iterations, problem by problem:
/// ridge regression of f_i - f_bin, the row dual before the last iteration, on the features of all
/// points. Closing the exact dual gives the teacher's plan.
class TransportFit {
 public:
  /// iterations: T >= 1 of the teacher; InternalError otherwise.
  explicit TransportFit(int iterations);

  /// Masked points are left out.
  void add(const attention::TransportProblem<double>& problem, tensor::Arena& scratch);
  /// Adds what another fit to the same number of iterations has seen.
  void add(const TransportFit& other);
  std::int64_t points() const { return points_; }
  /// ridge: relative to the diagonal of the Gram matrix. DataError when no point was added;
  /// NumericalError when scores were not finite.
  attention::TransportMap solve(double ridge = kRidge) const;

  static constexpr double kRidge = 1e-5;

 private:
  int iterations_;
  std::int64_t points_ = 0;
  RidgeRegression regression_{attention::kTransportFeatures};
};

/// How near a compiled transport gets to its teacher, over problems that no fit has seen.
class TransportFitEvidence {
 public:
  /// Of the teacher's T iterations against the map with `extra_iterations`.
  void add(const attention::TransportProblem<double>& problem, const attention::TransportMap& map,
           int iterations, int extra_iterations, tensor::Arena& scratch);
  /// Adds the problems of another.
  void add(const TransportFitEvidence& other);

  std::int64_t problems() const { return problems_; }
  /// 1 - residual / variance of the row dual f_i - f_bin, over all points.
  double dual_r2() const;
  /// Mean over problems of the mean over points i of sum_j |A_ij - teacher's A_ij|, the dustbin
  /// column included.
  double plan_l1() const { return plan_l1_ / static_cast<double>(problems_); }
  /// Mean over problems of the column error.
  double column_error() const { return column_error_ / static_cast<double>(problems_); }

 private:
  std::int64_t problems_ = 0;
  double points_ = 0, residual_ = 0, sum_ = 0, squares_ = 0;  // of targets, over points
  double plan_l1_ = 0, column_error_ = 0;
};

/// Mean over live points i of sum_j |A_ij - B_ij| of the plans of two pairs of duals, the dustbin
/// column included.
double transport_plan_l1(const attention::TransportProblem<double>& problem,
                         const attention::TransportDuals<const double>& a,
                         const attention::TransportDuals<const double>& b);

}  // namespace asap::compile
