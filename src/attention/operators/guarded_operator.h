#pragma once

#include <span>
#include <vector>

#include "attention/compiled/column_guard.h"
#include "attention/operators/compiled_operator.h"

namespace asap::attention {

/// The compiled operator that certifies every head, and goes on iterating where a head's guard asks
/// for it: see ColumnGuard. Without iterations its output is that of CompiledOperator, to the byte
/// unless that closes the row dual in one pass.
class GuardedOperator final : public AttentionOperator {
 public:
  /// [layer][head] each. InternalError when there is not a guard for every head, or for a head that
  /// predicts a key bias.
  GuardedOperator(std::vector<std::vector<CompiledHead>> heads,
                  std::vector<std::vector<ColumnGuard>> guards);

  void apply(int layer, const AttentionBatch<float>& batch, tensor::MatrixView<float> output,
             tensor::Arena& scratch) const override {
    certify(layer, batch, output, scratch, {});
  }

  bool works_by_example() const override { return true; }

  /// As apply. certificates: [B * H], those of an example side by side; or empty.
  void certify(int layer, const AttentionBatch<float>& batch, tensor::MatrixView<float> output,
               tensor::Arena& scratch, std::span<ColumnCertificate> certificates) const;

 private:
  std::vector<std::vector<CompiledHead>> heads_;
  std::vector<std::vector<ColumnGuard>> guards_;
};

}  // namespace asap::attention
