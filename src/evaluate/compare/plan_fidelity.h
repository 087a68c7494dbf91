#pragma once

#include <span>
#include <vector>

#include "attention/interface/attention_operator.h"
#include "tensor/core/tensor.h"

namespace asap::evaluate {

/// How near the plans of a method are to the teacher's, in one head, over examples.
struct HeadFidelity {
  double plan_l1 = 0;       ///< mean over queries of sum_j |A_ij - teacher's A_ij|; between 0 and 2
  double column_error = 0;  ///< mean_j |M/N sum_i A_ij - 1|
};

/// Fidelity of several methods: [method][layer][head].
using FidelityByMethod = std::vector<std::vector<std::vector<HeadFidelity>>>;

/// total += part, and fidelity *= factor, entry by entry.
void add_fidelity(const FidelityByMethod& part, FidelityByMethod& total);
void scale_fidelity(double factor, FidelityByMethod& fidelity);

/// Attention that computes what the teacher computes and, on the way, compares the plans of other
/// methods with the teacher's on the same queries and keys.
///
/// One probe belongs to one thread.
class FidelityProbe final : public attention::AttentionOperator {
 public:
  FidelityProbe(const attention::AttentionOperator& teacher,
                std::span<const attention::AttentionOperator* const> methods, int layers,
                int heads);

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override;

  /// Sums over the examples seen so far.
  const FidelityByMethod& sums() const { return sums_; }

 private:
  void compare_example(int layer, const attention::AttentionBatch<float>& example,
                       tensor::Arena& scratch) const;

  const attention::AttentionOperator& teacher_;
  std::vector<const attention::AttentionOperator*> methods_;
  mutable FidelityByMethod sums_;
};

}  // namespace asap::evaluate
