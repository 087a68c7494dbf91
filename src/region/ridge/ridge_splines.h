#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "numerics/cubic_splines.h"
#include "numerics/curve.h"
#include "numerics/levenberg_marquardt.h"
#include "region/network/samples.h"
#include "region/ridge/linear_model.h"

namespace asap::region {

/// A spline along one direction: s(u.x) with |u| = 1.
struct RidgeSpline {
  std::vector<double> direction;  ///< u: [inputs]
  numerics::Interval interval;    ///< of u.x over the rows it was fitted to, without long tails
  std::vector<double> heights;    ///< coefficients of the cubic B-splines on the interval

  double reach = 0;  ///< how far rows lie beyond the interval, in lengths of it

  /// Straight beyond the interval.
  double operator()(double projection) const;
};

/// Scales a direction to length one. False if it has no length.
bool normalise(std::vector<double>& direction);

/// f(x) = b.x + c + sum_k s_k(u_k.x): projection pursuit regression (Friedman and Stuetzle 1981)
/// with splines beside a linear term.
struct RidgeSum {
  std::vector<RidgeSpline> ridges;
  LinearModel linear;  ///< b, c

  /// Moves into the ridges what of the linear term they can hold: b keeps only directions that no
  /// ridge has. The function stays the same.
  void absorb_linear();

  double operator()(std::span<const double> x) const;
  /// Mean squared error on rows.
  double error(const Rows& rows) const;
};

/// A least-squares fit of a sum of ridge splines. Residuals are (f(x_i) - y_i) / sqrt(n), then the
/// roughness sqrt(penalty) (c_{m+1} - 2 c_m + c_{m-1}) of each spline's coefficients (P-splines,
/// Eilers and Marx 1996), and last a small multiple of b, which ridges could replace.
///
/// Parameters, ridge by ridge: a direction of any length [inputs], the coefficients; then b
/// [inputs]. The height c stays that of the start: the splines can move it.
class RidgeModel : public numerics::LeastSquaresModel {
 public:
  /// Keeps the intervals of `start`; its directions and heights become the start's parameters().
  RidgeModel(const Rows& rows, const RidgeSum& start, double penalty);

  std::vector<double> parameters() const;  ///< of the start
  RidgeSum sum(tensor::VectorView<const double> parameters) const;

  std::int64_t parameter_count() const override;
  std::int64_t residual_count() const override;
  void evaluate(tensor::VectorView<const double> parameters,
                tensor::VectorView<double> residuals) override;
  void jacobian(tensor::MatrixView<double> transposed) override;

 private:
  std::int64_t inputs() const { return rows_.inputs(); }
  std::int64_t ridge_parameters() const { return inputs() + cells_ + 3; }
  std::int64_t first_linear() const {
    return static_cast<std::int64_t>(start_.ridges.size()) * ridge_parameters();
  }

  const Rows& rows_;
  RidgeSum start_, current_;
  int cells_;
  double penalty_;
  std::vector<double> lengths_;  // of the directions at the last evaluate()
};

struct RidgeSplinesOptions {
  int ridges = 4;  ///< at most; fewer if another one explains nothing
  int cells = 10;  ///< of each spline
  double penalty = 1e-6;
  int starts = 12;  ///< random directions tried for each ridge, besides those of a quadratic
};

/// Grows a sum ridge by ridge from the linear model. Each ridge starts along the direction whose
/// spline explains most of the residual, among random directions and the eigenvectors of a
/// quadratic fitted to the residual; then all directions and splines are fitted together. Result:
/// the sums of 1, 2, ... ridges. rows: standardised, at least inputs + 4 of them.
std::vector<RidgeSum> pursue_projections(const Rows& rows, const RidgeSplinesOptions& options,
                                         base::RandomStream& random);

}  // namespace asap::region
