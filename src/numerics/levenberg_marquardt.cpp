#include "numerics/levenberg_marquardt.h"

#include <algorithm>
#include <cmath>

#include "numerics/dense_solvers.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"

namespace asap::numerics {
namespace {

using Vector = tensor::VectorView<double>;
using ConstVector = tensor::VectorView<const double>;

double squared_norm(const tensor::Tensor<double>& x) {
  return tensor::dot<double>(x.flat(), x.flat());
}

/// out = J r for J: [parameters, residuals].
void multiply_rows(tensor::MatrixView<const double> j, ConstVector r, Vector out) {
  for (std::int64_t p = 0; p < j.rows; ++p) out[p] = tensor::dot<double>(j.row(p), r);
}

}  // namespace

void LeastSquaresModel::gradient(ConstVector residuals, Vector gradient) {
  tensor::Tensor<double> j({parameter_count(), residual_count()});
  jacobian(j.rows());
  multiply_rows(j.rows(), residuals, gradient);
}

void LevenbergMarquardt::reserve(std::int64_t parameters, std::int64_t residuals) {
  if (jacobian_.shape() == tensor::Shape{parameters, residuals}) return;
  jacobian_ = tensor::Tensor<double>({parameters, residuals});
  normal_ = tensor::Tensor<double>({parameters, parameters});
  gradient_ = damping_ = step_ = trial_ = tensor::Tensor<double>({parameters});
  residuals_ = trial_residuals_ = tensor::Tensor<double>({residuals});
}

void LevenbergMarquardt::linearise(LeastSquaresModel& model) {
  model.jacobian(jacobian_.rows());
  gram_lower(jacobian_.rows(), normal_.rows());
  multiply_rows(jacobian_.rows(), residuals_.flat(), gradient_.flat());
}

bool LevenbergMarquardt::solve_step(double factor) {
  const std::int64_t count = step_.size();
  double largest = 0;
  for (std::int64_t p = 0; p < count; ++p) largest = std::max(largest, normal_[p * count + p]);
  for (std::int64_t p = 0; p < count; ++p)
    damping_[p] = factor * std::max(normal_[p * count + p], 1e-9 * largest) + 1e-300;
  return solve_positive_definite(normal_.rows(), damping_.flat(), gradient_.flat(), step_.flat());
}

double LevenbergMarquardt::try_step(LeastSquaresModel& model, ConstVector parameters) {
  for (std::int64_t p = 0; p < step_.size(); ++p) trial_[p] = parameters[p] - step_[p];
  model.constrain(trial_.flat());
  model.evaluate(trial_.flat(), trial_residuals_.flat());
  return squared_norm(trial_residuals_);
}

double LevenbergMarquardt::predicted_decrease() const {
  double predicted = 0;  // stepᵀ (damping step + gradient)
  for (std::int64_t p = 0; p < step_.size(); ++p)
    predicted += step_[p] * (damping_[p] * step_[p] + gradient_[p]);
  return predicted;
}

LevenbergMarquardtEvidence LevenbergMarquardt::minimise(LeastSquaresModel& model, Vector parameters,
                                                        const LevenbergMarquardtOptions& options) {
  constexpr double kLargestDamping = 1e12, kSmallestDamping = 1e-14;
  base::check(static_cast<std::int64_t>(parameters.size()) == model.parameter_count(),
              "LevenbergMarquardt: wrong size");
  reserve(model.parameter_count(), model.residual_count());
  model.evaluate(parameters, residuals_.flat());
  LevenbergMarquardtEvidence evidence;
  evidence.initial_cost = evidence.final_cost = squared_norm(residuals_);
  if (!std::isfinite(evidence.initial_cost))
    throw base::NumericalError("Levenberg-Marquardt: the cost at the starting point is not finite");

  double factor = options.damping, growth = 2;
  bool moved = true;
  int small_steps = 0;
  while (evidence.iterations < options.max_iterations && !evidence.converged) {
    if (moved) linearise(model);
    ++evidence.iterations;
    const double before = evidence.final_cost;
    const double cost = solve_step(factor) ? try_step(model, parameters) : before;
    moved = cost < before;
    if (moved) {
      std::copy_n(trial_.data(), trial_.size(), parameters.data());
      std::swap(residuals_, trial_residuals_);
      evidence.final_cost = cost;
      ++evidence.accepted;
      small_steps = before - cost < options.relative_tolerance * before ? small_steps + 1 : 0;
      const double excess = 2 * (before - cost) / predicted_decrease() - 1;
      factor *= std::max(1.0 / 3.0, 1 - excess * excess * excess);
      factor = std::max(factor, kSmallestDamping);
      growth = 2;
    } else {
      factor *= growth;
      growth *= 2;
    }
    evidence.converged =
        small_steps >= options.patience || factor > kLargestDamping || evidence.final_cost == 0;
  }
  evidence.damping = factor;
  return evidence;
}

}  // namespace asap::numerics
