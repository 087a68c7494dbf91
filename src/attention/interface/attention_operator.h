#pragma once

#include "attention/interface/attention_batch.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// One way to compute attention at inference: softmax, Sinkhorn with some number of iterations, the
/// compiled operator. The network around it (projections, residuals) does not know which one it
/// runs.
class AttentionOperator {
 public:
  virtual ~AttentionOperator() = default;

  /// Writes the attention output of `layer` for every head. output: [B * N, H * Dv]; padded rows
  /// become zero. `scratch` is rewound before returning. Safe to call from several threads at once,
  /// each with its own scratch.
  virtual void apply(int layer, const AttentionBatch<float>& batch,
                     tensor::MatrixView<float> output, tensor::Arena& scratch) const = 0;

  /// Writes the plans of one example: batch.examples is 1, its values are ignored; head h
  /// gets columns [h * M, (h + 1) * M) of plans: [N, H * M]. What is not live is zero. The
  /// default passes the identity as values, so that the output is the plan.
  virtual void plans(int layer, const AttentionBatch<float>& batch, tensor::MatrixView<float> plans,
                     tensor::Arena& scratch) const;

  /// Whether calls with a few examples of a batch each, in their order, do the same as one call
  /// with all of them. False for probes that keep what they see by its place in the batch.
  virtual bool works_by_example() const { return false; }
};

}  // namespace asap::attention
