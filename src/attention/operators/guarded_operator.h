#pragma once

#include <limits>
#include <span>
#include <vector>

#include "attention/compiled/column_guard.h"
#include "attention/operators/compiled_operator.h"

namespace asap::attention {

/// What one head does about plans that may be bad.
struct HeadGuard {
  enum class Rule {
    bounded,  ///< the teacher's whole loop where a bound of the column error exceeds the limit
    warm,     ///< iterations of the closed plan until its column error is at most the limit
    loop,     ///< the teacher's whole loop, always
  };
  Rule rule = Rule::bounded;
  double limit = std::numeric_limits<double>::infinity();
  /// Rule `bounded`: a map that starts as the teacher's loop does gives way at once where the
  /// column error of the plan there exceeds this.
  double start_limit = std::numeric_limits<double>::infinity();
};

/// The compiled operator that certifies every head, and goes on iterating where a head's guard asks
/// for it.
///
/// Rule `bounded` costs nothing but what it adds. Its certificate is a bound of the column error,
/// from sums that the operator takes anyway: of a map the row error of the plan before its last row
/// update (bounded_compiled_attention), of a loop the column error one iteration before its last
/// (guarded_sinkhorn_attention). Beyond the limit a map's plan gives way to the teacher's whole
/// loop, because a teacher that is far from converged cannot be reached from elsewhere, and a loop
/// goes on to its end; both in the precision of the layer. A relaxed loop tells inputs that are far
/// from those of its calibration by the plan that it starts from, and goes on as the teacher's.
/// Elsewhere the output is that of
/// CompiledOperator, to the byte. Rules `warm` and `loop` work in float; a loop is never warm.
///
/// AttentionBatch::guarded counts the heads of rule `bounded` that are not the teacher's whole loop
/// anyway.
class GuardedOperator final : public AttentionOperator {
 public:
  /// [layer][head] each. InternalError when there is not a guard for every head, or for a head that
  /// predicts a key bias.
  GuardedOperator(std::vector<std::vector<CompiledHead>> heads,
                  std::vector<std::vector<HeadGuard>> guards);

  void apply(int layer, const AttentionBatch<float>& batch, tensor::MatrixView<float> output,
             tensor::Arena& scratch) const override {
    certify(layer, batch, output, scratch, {});
  }

  bool works_by_example() const override { return true; }

  /// As apply. certificates: [B * H], those of an example side by side; or empty. A head of rule
  /// `bounded` that runs the teacher's whole loop anyway has none: its column error is NaN.
  void certify(int layer, const AttentionBatch<float>& batch, tensor::MatrixView<float> output,
               tensor::Arena& scratch, std::span<ColumnCertificate> certificates) const;

  const std::vector<std::vector<HeadGuard>>& guards() const { return guards_; }

 private:
  std::vector<std::vector<CompiledHead>> heads_;
  std::vector<std::vector<HeadGuard>> guards_;
};

/// What GuardedOperator does in one head.
ColumnCertificate guarded_head_attention(const CompiledHead& head,
                                         const AttentionHead<float>& inputs, const HeadGuard& guard,
                                         tensor::MatrixView<float> output, tensor::Arena& scratch);

}  // namespace asap::attention
