#include "compile/descent_fit.h"

#include <algorithm>
#include <cmath>

#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"

namespace asap::compile {
namespace {

/// Quantities of one sample that do not change during the descent, in centred coordinates.
struct ClosureProblem {
  tensor::Tensor<double> scores;          // x . y: [n, m]
  std::vector<double> row_sums;           // of the teacher's plan A: [n]
  std::vector<double> column_sums;        // of A: [m]
  double negative_entropy = 0;            // sum_ij A_ij (log A_ij - S_ij)
  tensor::Tensor<double> values;          // [m, Dv]; only for the output objective
  tensor::Tensor<double> teacher_output;  // A V: [n, Dv]

  std::int64_t n() const { return scores.shape()[0]; }
  std::int64_t m() const { return scores.shape()[1]; }
  double inverse_mass() const { return static_cast<double>(m()) / static_cast<double>(n()); }
};

ClosureProblem closure_problem(const TeacherSample& sample, DualObjective objective) {
  tensor::Arena scratch;
  const attention::CentredHead<double> head = attention::centre_head<double>(
      sample.queries.rows(), sample.keys.rows(), sample.score_scale, scratch);
  const std::int64_t n = head.x.rows, m = head.y.rows;
  ClosureProblem problem;
  problem.scores = tensor::Tensor<double>({n, m});
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::yes, 1.0, head.x, head.y, 0.0,
                       problem.scores.rows());
  if (objective == DualObjective::dual) return problem;
  const tensor::Tensor<double> plan = teacher_plan(sample);
  problem.row_sums.resize(n);
  problem.column_sums.resize(m);
  tensor::column_sums<double>(plan.rows(), problem.column_sums, false);
  for (std::int64_t i = 0; i < n; ++i)
    problem.row_sums[i] = tensor::sum<double>(plan.rows().row(i));
  for (std::int64_t k = 0; k < plan.size(); ++k)
    if (plan[k] > 0) problem.negative_entropy += plan[k] * (std::log(plan[k]) - problem.scores[k]);
  if (objective != DualObjective::output) return problem;
  base::check(sample.values.size() > 0, "closure_problem: no values");
  problem.values = sample.values;
  problem.teacher_output = tensor::Tensor<double>({n, sample.values.shape()[1]});
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::no, 1.0, plan.rows(),
                       problem.values.rows(), 0.0, problem.teacher_output.rows());
  return problem;
}

/// The closure of f̂.
struct Closure {
  std::vector<double> column_dual;  // g
  std::vector<double> row_dual;     // f
  std::vector<double> row_sums;     // of E = exp(S + f̂ + g)
  tensor::Tensor<double> rebuilt;   // E with rows normalised: exp(S + f + g)
};

Closure close_dual(const ClosureProblem& problem, tensor::VectorView<const double> row_dual) {
  Closure closure{std::vector<double>(problem.m()), std::vector<double>(problem.n()),
                  std::vector<double>(problem.n()), tensor::Tensor<double>(problem.scores.shape())};
  transport::column_c_transform<double>(problem.scores.rows(), row_dual, closure.column_dual);
  transport::row_c_transform<double>(problem.scores.rows(), closure.column_dual, closure.row_dual);
  transport::plan_from_duals<double>(problem.scores.rows(), closure.row_dual, closure.column_dual,
                                     closure.rebuilt.rows());
  for (std::int64_t i = 0; i < problem.n(); ++i)
    closure.row_sums[i] = std::exp(row_dual[i] - closure.row_dual[i]);
  return closure;
}

/// KL(A || Â) averaged over rows, from log Â = S + f + g; column_gradient: d/dg = (column sums of Â
/// - of A) / n, for rows of A that sum to 1.
double kl_objective(const ClosureProblem& problem, const Closure& closure,
                    tensor::VectorView<double> column_gradient) {
  const double rows = static_cast<double>(problem.n());
  tensor::column_sums<double>(closure.rebuilt.rows(), column_gradient, false);
  tensor::axpy<double>(-1.0, problem.column_sums, column_gradient);
  tensor::scale<double>(1 / rows, column_gradient, column_gradient);
  return (problem.negative_entropy - tensor::dot<double>(problem.row_sums, closure.row_dual) -
          tensor::dot<double>(problem.column_sums, closure.column_dual)) /
         rows;
}

/// |Ô - O|² / |O|²; through logits z = S + g of the row softmax: d/dz_ij = Â_ij e_i . (V_j - Ô_i).
double output_objective(const ClosureProblem& problem, const Closure& closure,
                        tensor::VectorView<double> column_gradient) {
  const tensor::Tensor<double>& target = problem.teacher_output;
  tensor::Tensor<double> output(target.shape()), back({problem.n(), problem.m()});
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::no, 1.0, closure.rebuilt.rows(),
                       problem.values.rows(), 0.0, output.rows());
  const double norm = std::max(tensor::dot<double>(target.flat(), target.flat()), 1e-300);
  tensor::Tensor<double> error = output;
  tensor::axpy<double>(-1.0, target.flat(), error.flat());
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::yes, 2 / norm, error.rows(),
                       problem.values.rows(), 0.0, back.rows());
  for (std::int64_t i = 0; i < problem.n(); ++i) {
    const double mean = 2 / norm * tensor::dot<double>(error.rows().row(i), output.rows().row(i));
    for (std::int64_t j = 0; j < problem.m(); ++j)
      column_gradient[j] += closure.rebuilt.rows()(i, j) * (back.rows()(i, j) - mean);
  }
  return tensor::dot<double>(error.flat(), error.flat()) / norm;
}

/// Minus the entropic dual per query, mean(f̂) + mean(g): its gradient needs the row sums of E
/// alone.
double dual_objective(const ClosureProblem& problem, const Closure& closure,
                      tensor::VectorView<const double> row_dual,
                      tensor::VectorView<double> gradient) {
  const double rows = static_cast<double>(problem.n());
  for (std::int64_t i = 0; i < problem.n(); ++i) gradient[i] = (closure.row_sums[i] - 1) / rows;
  return -tensor::sum<double>(row_dual) / rows -
         tensor::sum<double>(closure.column_dual) / static_cast<double>(problem.m());
}

double objective_and_gradient(const ClosureProblem& problem, DualObjective objective,
                              tensor::VectorView<const double> row_dual,
                              tensor::VectorView<double> gradient) {
  const Closure closure = close_dual(problem, row_dual);
  if (objective == DualObjective::dual) return dual_objective(problem, closure, row_dual, gradient);
  std::vector<double> column_gradient(problem.m(), 0.0);
  const double value = objective == DualObjective::kl
                           ? kl_objective(problem, closure, column_gradient)
                           : output_objective(problem, closure, column_gradient);
  // E = row_sums ∘ rebuilt
  for (std::int64_t i = 0; i < problem.n(); ++i)
    gradient[i] = -problem.inverse_mass() * closure.row_sums[i] *
                  tensor::dot<double>(closure.rebuilt.rows().row(i), column_gradient);
  return value;
}

/// Root mean square of each feature over all queries of all samples, 1 where it is 0.
std::vector<double> feature_sizes(std::span<const FitSample> fits) {
  std::vector<double> sizes(fits[0].features.shape()[0], 0.0);
  double queries = 0;
  for (const FitSample& fit : fits) {
    queries += static_cast<double>(fit.features.shape()[1]);
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      const tensor::VectorView<const double> row =
          fit.features.rows().row(static_cast<std::int64_t>(p));
      sizes[p] += tensor::dot<double>(row, row);
    }
  }
  for (double& size : sizes) size = size > 0 ? std::sqrt(size / queries) : 1.0;
  return sizes;
}

/// Adds one sample's objective; gradient: [P].
double add_sample(const ClosureProblem& problem, const FitSample& fit, DualObjective objective,
                  tensor::VectorView<const double> weights, tensor::VectorView<double> gradient) {
  std::vector<double> row_dual(problem.n(), 0.0), row_gradient(problem.n());
  for (std::size_t p = 0; p < weights.size(); ++p)
    tensor::axpy<double>(weights[p], fit.features.rows().row(static_cast<std::int64_t>(p)),
                         row_dual);
  const double value = objective_and_gradient(problem, objective, row_dual, row_gradient);
  for (std::size_t p = 0; p < weights.size(); ++p)
    gradient[p] +=
        tensor::dot<double>(fit.features.rows().row(static_cast<std::int64_t>(p)), row_gradient);
  return value;
}

}  // namespace

double plan_objective(const TeacherSample& sample, DualObjective objective,
                      tensor::VectorView<const double> row_dual,
                      tensor::VectorView<double> gradient) {
  return objective_and_gradient(closure_problem(sample, objective), objective, row_dual, gradient);
}

std::vector<double> fit_by_descent(std::span<const FitSample> fits,
                                   std::span<const TeacherSample> samples, DualObjective objective,
                                   const DescentConfig& config, std::vector<double> weights) {
  base::check(fits.size() == samples.size() && !fits.empty(), "fit_by_descent: samples do not fit");
  std::vector<ClosureProblem> problems;
  for (const TeacherSample& sample : samples)
    problems.push_back(closure_problem(sample, objective));
  // Steps are taken in units in which every feature changes the dual by the same amount.
  const std::vector<double> sizes = feature_sizes(fits);
  std::vector<double> scaled = weights, best = weights, first(weights.size()),
                      second(weights.size());
  for (std::size_t p = 0; p < scaled.size(); ++p) scaled[p] *= sizes[p];
  double best_value = INFINITY;
  for (int step = 0; step <= config.steps; ++step) {
    for (std::size_t p = 0; p < scaled.size(); ++p) weights[p] = scaled[p] / sizes[p];
    std::vector<double> gradient(weights.size(), 0.0);
    double value = 0;
    for (std::size_t s = 0; s < fits.size(); ++s)
      value += add_sample(problems[s], fits[s], objective, weights, gradient);
    if (value < best_value) best_value = value, best = weights;
    if (step == config.steps) break;
    for (std::size_t p = 0; p < scaled.size(); ++p)
      gradient[p] /= sizes[p] * static_cast<double>(fits.size());
    const double t = step + 1;
    tensor::adamw_update<double>(
        {.learning_rate = config.learning_rate * (1 - step / (config.steps * 1.0)),
         .beta1 = 0.9,
         .beta2 = 0.99,
         .epsilon = 1e-12,
         .weight_decay = 0,
         .correction1 = 1 - std::pow(0.9, t),
         .correction2 = 1 - std::pow(0.99, t),
         .gradient_scale = 1},
        gradient, scaled, first, second);
  }
  return best;
}

}  // namespace asap::compile
