#pragma once

#include <vector>

#include "attention/interface/head_gradients.h"
#include "tensor/core/arena.h"

namespace asap::evaluate {

/// Measures of a plan [n, m] and of its scores.
struct PlanMeasures {
  /// Share of all attention that the most attended key receives; 1/m if all keys receive the same.
  /// A softmax head whose share is large has an attention sink (Xiao et al. 2023).
  double sink_share = 0;
  /// That share times m, how many times its equal share the key receives: comparable between
  /// examples of different lengths.
  double sink_factor = 0;
  /// Mean over queries of -sum_j A_ij log A_ij / log m: 1 for uniform rows, 0 for one-hot rows. Of
  /// plans with negative entries: of |A| with rows that sum to 1.
  double entropy = 0;
  double column_error = 0;  ///< mean_j |m/n sum_i A_ij - 1|
  double logit_range = 0;   ///< largest score minus smallest

  PlanMeasures& operator+=(const PlanMeasures& other);
  PlanMeasures& operator*=(double factor);
};

/// Everything but logit_range. plan: [n, m], not empty.
PlanMeasures measure_plan(tensor::MatrixView<const float> plan);

/// Largest minus smallest entry of scale * Q Kᵀ. queries: [n, D], keys: [m, D], not empty.
double score_range(tensor::MatrixView<const float> queries, tensor::MatrixView<const float> keys,
                   float scale, tensor::Arena& scratch);

/// Column error of Sinkhorn's plan of these scores after 0, 1, ..., `iterations` iterations (0:
/// softmax); with slack c > 0 of the head, what columns receive too much, as sinkhorn_attention.h
/// has it. The head's values are not read.
std::vector<double> column_errors_by_iteration(const attention::AttentionHead<float>& head,
                                               int iterations, tensor::Arena& scratch);

/// |X - 1 x̄ᵀ| / |X|, Frobenius norms, x̄ the mean row: how far tokens are from all being the same
/// (Dong et al. 2021, "Attention is not all you need", whose relative residual to rank one this is
/// in another norm). tokens: [n, W]; 0 for tokens that are all zero.
double rank_one_residual(tensor::MatrixView<const float> tokens);

}  // namespace asap::evaluate
