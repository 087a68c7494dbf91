#pragma once

#include "numerics/curve.h"
#include "numerics/levenberg_marquardt.h"
#include "region/family/folded_function.h"
#include "region/network/samples.h"

namespace asap::region {

/// How the scales of a folded function are determined.
enum class ScaleRule {
  free,    ///< independent parameters
  smooth,  ///< from the peaks and one amplitude by Theorem 3.1 (fold 2 only)
};

/// A least-squares fit of a folded function of one window. Residuals are sqrt(w_i / sum w) (F(x_i)
/// - y_i).
///
/// Parameters: the logits of the pieces of every level, [levels, fold], whose softmax are the
/// pieces (levels is depth, or depth + 1 for ScaleRule::smooth, whose last scale needs one more
/// peak); the scales [depth * (fold - 1)] or the amplitude mu_0; the values at both ends.
class FamilyModel : public numerics::LeastSquaresModel {
 public:
  FamilyModel(const Samples& samples, numerics::Interval interval, int depth, int fold,
              ScaleRule rule, double amplitude_unit = 1);

  std::vector<double> parameters_of(const FoldedFunction& function) const;
  /// For ScaleRule::smooth, whose function does not hold the last peak and the amplitude.
  std::vector<double> parameters_of(std::span<const double> peaks, double amplitude, double left,
                                    double right) const;
  FoldedFunction function(tensor::VectorView<const double> parameters) const;

  std::int64_t parameter_count() const override;
  std::int64_t residual_count() const override { return static_cast<std::int64_t>(t_.size()); }
  void evaluate(tensor::VectorView<const double> parameters,
                tensor::VectorView<double> residuals) override;
  void jacobian(tensor::MatrixView<double> transposed) override;
  /// Keeps every piece at least e^-5 times the longest of its level.
  void constrain(tensor::VectorView<double> parameters) const override;

 private:
  int levels() const { return depth_ + (rule_ == ScaleRule::smooth ? 1 : 0); }
  std::int64_t scale_count() const { return std::int64_t{depth_} * (fold_ - 1); }
  std::int64_t first_scale() const { return std::int64_t{levels()} * fold_; }
  std::int64_t first_value() const {
    return first_scale() + (rule_ == ScaleRule::smooth ? 1 : scale_count());
  }
  void piece_derivatives(double t, std::span<double> row) const;
  void scale_derivatives(std::span<const double> basis, std::span<double> row) const;

  numerics::Interval interval_;
  int depth_, fold_;
  ScaleRule rule_;
  double amplitude_unit_;
  std::vector<double> t_, targets_, root_weights_;
  std::vector<double> parameters_;
  FoldedFunction function_;        // at the last evaluate()
  std::vector<double> last_peak_;  // pieces of the level that only the last scale uses
};

}  // namespace asap::region
