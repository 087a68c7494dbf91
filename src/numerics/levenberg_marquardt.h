#pragma once

#include <cstdint>

#include "tensor/core/tensor.h"

namespace asap::numerics {

/// A sum of squares of residuals that are differentiable functions of a few parameters.
class LeastSquaresModel {
 public:
  virtual ~LeastSquaresModel() = default;

  virtual std::int64_t parameter_count() const = 0;
  virtual std::int64_t residual_count() const = 0;
  /// residuals: [residual_count] at `parameters`: [parameter_count].
  virtual void evaluate(tensor::VectorView<const double> parameters,
                        tensor::VectorView<double> residuals) = 0;
  /// transposed(p, i) = d residual_i / d parameter_p at the parameters of the last evaluate().
  virtual void jacobian(tensor::MatrixView<double> transposed) = 0;
  /// gradient(p) = sum_i residual_i d residual_i / d parameter_p at the last evaluate(), whose
  /// residuals are passed in. The default uses jacobian().
  virtual void gradient(tensor::VectorView<const double> residuals,
                        tensor::VectorView<double> gradient);
  /// Pulls parameters back to where the model is defined; called on every trial point.
  virtual void constrain(tensor::VectorView<double>) const {}
};

struct LevenbergMarquardtOptions {
  int max_iterations = 100;  ///< accepted or rejected steps
  double damping = 1e-3;     ///< first factor of the damping diagonal
  /// Stop when `patience` accepted steps in a row each lower the cost by less than this fraction.
  double relative_tolerance = 1e-6;
  int patience = 4;
};

/// What a solve did; the cost is recomputed from the parameters it left.
struct LevenbergMarquardtEvidence {
  double initial_cost = 0;  ///< sum of squared residuals
  double final_cost = 0;
  int iterations = 0;  ///< trial steps
  int accepted = 0;
  double damping = 0;      ///< its factor at the end
  bool converged = false;  ///< stopped by tolerance rather than by max_iterations
};

/// Minimises the sum of squares, starting from `parameters`; the cost never increases. The damping
/// is scaled by the diagonal of JᵀJ (Marquardt), its factor updated as by Nielsen (Madsen, Nielsen
/// and Tingleff, "Methods for non-linear least squares problems", 2004, algorithm 3.16).
/// Workspace is kept between solves; an object belongs to one thread.
class LevenbergMarquardt {
 public:
  /// NumericalError when the cost at the start is not finite.
  LevenbergMarquardtEvidence minimise(LeastSquaresModel& model,
                                      tensor::VectorView<double> parameters,
                                      const LevenbergMarquardtOptions& options);

 private:
  void reserve(std::int64_t parameters, std::int64_t residuals);
  /// Jacobian, normal equations and gradient at the point of the last evaluate().
  void linearise(LeastSquaresModel& model);
  /// The damped step into step_; false when the equations are not positive definite.
  bool solve_step(double factor);
  /// Residuals at parameters - step_, constrained, into trial_ and trial_residuals_. Returns their
  /// cost.
  double try_step(LeastSquaresModel& model, tensor::VectorView<const double> parameters);
  /// Decrease that the quadratic model expects of step_.
  double predicted_decrease() const;

  tensor::Tensor<double> jacobian_;  // [parameters, residuals]
  tensor::Tensor<double> normal_;    // [parameters, parameters], lower triangle
  tensor::Tensor<double> gradient_, damping_, step_, trial_;
  tensor::Tensor<double> residuals_, trial_residuals_;
};

}  // namespace asap::numerics
