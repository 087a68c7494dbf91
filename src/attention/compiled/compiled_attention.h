#pragma once

#include "attention/compiled/compiled_features.h"
#include "attention/interface/head_gradients.h"

namespace asap::attention {

/// Evidence of one head of the compiled operator.
struct CompiledEvidence {
  /// Scalings left the range in which the exp domain is exact, so the log domain was used.
  bool log_domain = false;
  /// mean_j |M/N sum_i A_ij - 1| of the plan used.
  double column_error = 0;
};

/// Attention with a doubly stochastic plan whose row dual is predicted instead of iterated: f̂ = map
/// of the features, then one column and one row c-transform (the closure). With K = exp(x . y), u =
/// exp(f̂):
///   v = (N / M) / (Kᵀ u),  u = 1 / (K v),  output = u ∘ K (v ∘ V).
/// Rows of the plan sum to 1 exactly, columns to N / M as closely as f̂ is exact. K is computed
/// once; the log-sum-exp of its rows, one of the features, falls out of the same pass.
///
/// extra_iterations: warm-started Sinkhorn iterations after the closure ("compiled+k").
/// output: [n, Dv], zero when there is no key.
template <class T>
CompiledEvidence compiled_attention(const DualMap<T>& map, const AttentionHead<T>& head,
                                    int extra_iterations, tensor::MatrixView<T> output,
                                    tensor::Arena& scratch);

}  // namespace asap::attention
