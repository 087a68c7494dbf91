#pragma once

#include "evaluate/study/rank_bound.h"
#include "infer/encoder.h"

namespace asap::evaluate {

/// A network's attention layers alone, without residual connections, feed-forward parts and layer
/// norms: X <- sum_h P_h X V_h + 1 bᵀ, from the tokens that its first layer reads. This is the
/// network that rank_bound.h is about.
class PureAttention {
 public:
  explicit PureAttention(const infer::Encoder& encoder);

  /// Of the tokens before the first layer and after each, means over the live examples of `start`
  /// are for the caller: adds to `residuals` and, unless empty, `bounds`: [layers + 1] each, the
  /// relative residual to rank one (plan_measures.h) and its bound, at most 1: sqrt(n) times the
  /// bound of the diameter over |X|, Frobenius.
  void add(const attention::AttentionOperator& attention, const infer::TokenRows& start,
           std::span<double> residuals, std::span<double> bounds) const;

  /// Largest kappa of all layers times d0²: below 1 the bound falls doubly exponentially.
  double base(tensor::MatrixView<const float> tokens) const;
  /// theorem_base of rank_bound.h.
  double theorem_base(tensor::MatrixView<const float> tokens) const;

 private:
  const infer::Encoder& encoder_;
  std::vector<std::vector<HeadNorms>> norms_;           // [layers][heads]
  std::vector<std::vector<CompositeNorms>> composite_;  // [layers][heads]
};

}  // namespace asap::evaluate
