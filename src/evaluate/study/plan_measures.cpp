#include "evaluate/study/plan_measures.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/kernels/gemm.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"
#include "transport/sinkhorn_log.h"

namespace asap::evaluate {
namespace {

tensor::MatrixView<float> scores_of(tensor::MatrixView<const float> queries,
                                    tensor::MatrixView<const float> keys, float scale,
                                    tensor::Arena& arena) {
  const tensor::MatrixView<float> scores = arena.matrix<float>(queries.rows, keys.rows);
  tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::yes, scale, queries, keys, 0.0f,
                      scores);
  return scores;
}

/// -sum p log p of the row's absolute values, made to sum to 1.
double row_entropy(tensor::VectorView<const float> row) {
  double total = 0;
  for (const float entry : row) total += std::abs(double{entry});
  if (total == 0) return 0;
  double entropy = 0;
  for (const float entry : row) {
    const double share = std::abs(double{entry}) / total;
    if (share > 0) entropy -= share * std::log(share);
  }
  return entropy;
}

}  // namespace

PlanMeasures& PlanMeasures::operator+=(const PlanMeasures& other) {
  sink_share += other.sink_share;
  sink_factor += other.sink_factor;
  entropy += other.entropy;
  column_error += other.column_error;
  logit_range += other.logit_range;
  return *this;
}

PlanMeasures& PlanMeasures::operator*=(double factor) {
  sink_share *= factor;
  sink_factor *= factor;
  entropy *= factor;
  column_error *= factor;
  logit_range *= factor;
  return *this;
}

PlanMeasures measure_plan(tensor::MatrixView<const float> plan) {
  PlanMeasures measures;
  std::vector<double> received(static_cast<std::size_t>(plan.cols));
  double mass = 0;
  for (std::int64_t i = 0; i < plan.rows; ++i) {
    for (std::int64_t j = 0; j < plan.cols; ++j) {
      received[j] += plan(i, j);
      mass += plan(i, j);
    }
    measures.entropy += row_entropy(plan.row(i));
  }
  measures.sink_share = mass > 0 ? std::ranges::max(received) / mass : 0;
  measures.sink_factor = measures.sink_share * static_cast<double>(plan.cols);
  // With a single key the entropy is 0, and so is log m.
  const double most =
      std::max(std::log(static_cast<double>(plan.cols)), std::numeric_limits<double>::min());
  measures.entropy /= static_cast<double>(plan.rows) * most;
  measures.column_error = transport::marginal_errors<float>(plan).column_mean;
  return measures;
}

double score_range(tensor::MatrixView<const float> queries, tensor::MatrixView<const float> keys,
                   float scale, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const tensor::MatrixView<float> scores = scores_of(queries, keys, scale, scratch);
  const auto [least, most] = std::ranges::minmax(tensor::VectorView<const float>(
      scores.data, static_cast<std::size_t>(scores.rows * scores.cols)));
  return double{most} - double{least};
}

std::vector<double> column_errors_by_iteration(const attention::AttentionHead<float>& head,
                                               int iterations, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const tensor::MatrixView<float> scores = scores_of(head.queries, head.keys, head.scale, scratch);
  const tensor::MatrixView<float> plan = scratch.matrix<float>(scores.rows, scores.cols);
  const transport::SinkhornTrace<float> trace =
      transport::sinkhorn_log<float>(scores, {}, iterations, {head.slack});
  const tensor::VectorView<float> zero = scratch.vector<float>(scores.cols);
  std::ranges::fill(zero, 0.0f);
  std::vector<double> errors;
  for (int t = 0; t <= iterations; ++t) {
    const tensor::VectorView<const float> column_dual =
        t == 0 ? tensor::VectorView<const float>(zero) : trace.column_duals.rows().row(t - 1);
    transport::plan_from_duals<float>(scores, trace.row_duals.rows().row(t), column_dual, plan);
    errors.push_back(transport::column_error<float>(plan, head.slack));
  }
  return errors;
}

double rank_one_residual(tensor::MatrixView<const float> tokens) {
  double square = 0, around_mean = 0;
  for (std::int64_t k = 0; k < tokens.cols; ++k) {
    double mean = 0;
    for (std::int64_t i = 0; i < tokens.rows; ++i) mean += tokens(i, k);
    mean /= static_cast<double>(std::max<std::int64_t>(tokens.rows, 1));
    for (std::int64_t i = 0; i < tokens.rows; ++i) {
      square += double{tokens(i, k)} * tokens(i, k);
      around_mean += (tokens(i, k) - mean) * (tokens(i, k) - mean);
    }
  }
  return square > 0 ? std::sqrt(around_mean / square) : 0;
}

}  // namespace asap::evaluate
