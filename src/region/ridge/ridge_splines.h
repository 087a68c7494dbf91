#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "numerics/cubic_splines.h"
#include "numerics/curve.h"
#include "numerics/levenberg_marquardt.h"
#include "region/network/samples.h"

namespace asap::region {

/// A spline across one direction: s(u.x) with |u| = 1.
struct RidgeSpline {
  std::vector<double> direction;  ///< u: [inputs]
  numerics::Interval interval;    ///< of u.x over the rows it was fitted to
  std::vector<double> heights;    ///< coefficients of the cubic B-splines on the interval

  /// Straight beyond the interval.
  double operator()(double projection) const;
};

/// f(x) = sum_k s_k(u_k.x): projection pursuit regression (Friedman and Stuetzle 1981) with
/// splines.
struct RidgeSum {
  std::vector<RidgeSpline> ridges;
  double operator()(std::span<const double> x) const;
  /// Mean squared error on rows.
  double error(const TableRows& rows) const;
};

/// A sum of ridge splines as a least-squares fit. Residuals are (f(x_i) - y_i) / sqrt(n), then the
/// roughness sqrt(penalty) (c_{m+1} - 2 c_m + c_{m-1}) of each spline's coefficients (Eilers and
/// Marx 1996, P-splines).
///
/// Parameters, ridge after ridge: a direction of any length [inputs], the coefficients.
class RidgeModel : public numerics::LeastSquaresModel {
 public:
  /// The intervals of `start` are kept, its directions and heights are where parameters_of() is.
  RidgeModel(const TableRows& rows, const RidgeSum& start, double penalty);

  std::vector<double> parameters() const;  ///< of the start
  RidgeSum sum(tensor::VectorView<const double> parameters) const;

  std::int64_t parameter_count() const override;
  std::int64_t residual_count() const override;
  void evaluate(tensor::VectorView<const double> parameters,
                tensor::VectorView<double> residuals) override;
  void jacobian(tensor::MatrixView<double> transposed) override;

 private:
  std::int64_t inputs() const { return rows_.x.rows().cols; }
  std::int64_t ridge_parameters() const { return inputs() + cells_ + 3; }

  const TableRows& rows_;
  RidgeSum start_, current_;
  int cells_;
  double penalty_;
  std::vector<double> lengths_;  // of the directions at the last evaluate()
};

struct RidgeSplinesOptions {
  int ridges = 4;  ///< at most; fewer when a further one explains nothing
  int cells = 10;  ///< of each spline
  double penalty = 1e-6;
  int starts = 12;  ///< random directions tried for each ridge, beside those of a quadratic
};

/// Grows a sum ridge by ridge. Each begins along the direction whose spline explains most of what
/// is left, among the eigenvectors of a quadratic fitted to it and random ones; then all directions
/// and splines are fitted together. Result: the sums of 1, 2, ... ridges. rows: standardised, at
/// least inputs + 4 of them.
std::vector<RidgeSum> pursue_projections(const TableRows& rows, const RidgeSplinesOptions& options,
                                         base::RandomStream& random);

}  // namespace asap::region
