#include "compile/transport_fit.h"

#include <algorithm>
#include <cmath>

#include "attention/transport/transport_layer.h"

namespace asap::compile {
namespace {

/// What a fit needs of one problem: features of its live points, one per column, and their targets.
struct Targets {
  tensor::MatrixView<double> features;  // [P, n]
  tensor::VectorView<double> values;    // [n]
};

attention::TransportDuals<double> duals_of(const attention::TransportProblem<double>& problem,
                                           tensor::Arena& scratch) {
  return {scratch.vector<double>(problem.rows()), scratch.vector<double>(problem.columns())};
}

Targets targets_of(const attention::TransportProblem<double>& problem, int iterations,
                   tensor::Arena& scratch) {
  const std::int64_t n = problem.scores.rows;
  const tensor::MatrixView<double> all = scratch.matrix<double>(n, attention::kTransportFeatures);
  attention::transport_features<double>(problem, all, scratch);
  const attention::TransportDuals<double> duals = duals_of(problem, scratch);
  attention::transport<double>(problem, iterations - 1, duals, scratch);
  const bool has_columns = std::ranges::any_of(problem.column_marginals.first(problem.scores.cols),
                                               [](double mass) { return mass > 0; });
  const auto counts = [&](std::int64_t i) { return has_columns && problem.row_marginals[i] > 0; };
  std::int64_t live = 0;
  for (std::int64_t i = 0; i < n; ++i) live += counts(i) ? 1 : 0;
  const Targets out{scratch.matrix<double>(attention::kTransportFeatures, live),
                    scratch.vector<double>(live)};
  std::int64_t next = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!counts(i)) continue;
    for (std::int64_t p = 0; p < all.cols; ++p) out.features(p, next) = all(i, p);
    out.values[next++] = duals.rows[i] - duals.rows.back();
  }
  return out;
}

}  // namespace

TransportFit::TransportFit(int iterations) : iterations_(iterations) {
  base::check(iterations >= 1, "TransportFit: the teacher does not iterate");
}

void TransportFit::add(const attention::TransportProblem<double>& problem, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const Targets targets = targets_of(problem, iterations_, scratch);
  regression_.add(targets.features, targets.values);
  points_ += std::ssize(targets.values);
}

void TransportFit::add(const TransportFit& other) {
  base::check(iterations_ == other.iterations_, "TransportFit: another teacher");
  regression_.add(other.regression_);
  points_ += other.points_;
}

attention::TransportMap TransportFit::solve(double ridge) const {
  if (points_ == 0)
    throw base::DataError("no pair of the calibration has points on both sides",
                          "fit on pairs of images with keypoints");
  attention::TransportMap map;
  std::ranges::copy(regression_.solve(ridge), map.weights.begin());
  return map;
}

double transport_plan_l1(const attention::TransportProblem<double>& problem,
                         const attention::TransportDuals<const double>& a,
                         const attention::TransportDuals<const double>& b) {
  double total = 0;
  std::int64_t live = 0;
  for (std::int64_t i = 0; i < problem.scores.rows; ++i) {
    if (!(problem.row_marginals[i] > 0)) continue;
    ++live;
    for (std::int64_t j = 0; j < problem.columns(); ++j) {
      if (!(problem.column_marginals[j] > 0)) continue;
      const double score = problem.score(i, j);
      total += std::abs(std::exp(score + a.rows[i] + a.columns[j]) -
                        std::exp(score + b.rows[i] + b.columns[j]));
    }
  }
  return live == 0 ? 0 : total / static_cast<double>(live);
}

void TransportFitEvidence::add(const attention::TransportProblem<double>& problem,
                               const attention::TransportMap& map, int iterations,
                               int extra_iterations, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const Targets targets = targets_of(problem, iterations, scratch);
  for (std::size_t i = 0; i < targets.values.size(); ++i) {
    double predicted = 0;
    for (std::int64_t p = 0; p < targets.features.rows; ++p)
      predicted += map.weights[p] * targets.features(p, static_cast<std::int64_t>(i));
    const double target = targets.values[i];
    residual_ += (target - predicted) * (target - predicted);
    sum_ += target;
    squares_ += target * target;
    points_ += 1;
  }
  const attention::TransportDuals<double> teacher = duals_of(problem, scratch);
  const attention::TransportDuals<double> compiled = duals_of(problem, scratch);
  attention::transport<double>(problem, iterations, teacher, scratch);
  column_error_ +=
      attention::compiled_transport<double>(problem, map, extra_iterations, compiled, scratch)
          .column_error;
  plan_l1_ += transport_plan_l1(problem, {teacher.rows, teacher.columns},
                                {compiled.rows, compiled.columns});
  ++problems_;
}

void TransportFitEvidence::add(const TransportFitEvidence& other) {
  problems_ += other.problems_;
  points_ += other.points_;
  residual_ += other.residual_;
  sum_ += other.sum_;
  squares_ += other.squares_;
  plan_l1_ += other.plan_l1_;
  column_error_ += other.column_error_;
}

double TransportFitEvidence::dual_r2() const {
  const double variance = squares_ - sum_ * sum_ / points_;
  return variance > 0 ? 1 - residual_ / variance : 1;
}

}  // namespace asap::compile
