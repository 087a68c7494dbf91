#pragma once

#include <algorithm>
#include <vector>

#include "evaluate/compare/guard_tally.h"

namespace asap::evaluate {

/// The teacher's attention for examples that a first pass has seen: layers whose outputs that pass
/// kept are copied, the others computed.
class ReplayedTeacher final : public attention::AttentionOperator {
 public:
  /// places: of the examples, as they come here, among those of the first pass.
  ReplayedTeacher(const attention::AttentionOperator& teacher, const GuardTally& first,
                  std::span<const std::int64_t> places, int layers)
      : teacher_(teacher),
        first_(first),
        places_(places),
        seen_(static_cast<std::size_t>(layers)) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    std::int64_t& seen = seen_[static_cast<std::size_t>(layer)];
    const std::span<const std::int64_t> places =
        places_.subspan(static_cast<std::size_t>(seen), static_cast<std::size_t>(batch.examples));
    seen += batch.examples;
    const auto kept = [&](std::int64_t place) {
      return std::ssize(first_.teacher_outputs(place)) > layer;
    };
    if (std::ranges::none_of(places, kept)) return teacher_.apply(layer, batch, output, scratch);
    const std::int64_t tokens = batch.query_tokens();
    for (std::int64_t b = 0; b < batch.examples; ++b) {
      const std::int64_t place = places[static_cast<std::size_t>(b)];
      const attention::AttentionBatch<float> one = batch.example(b);
      const tensor::MatrixView<float> rows = output.block(b * tokens, 0, tokens, output.cols);
      if (!kept(place)) {
        teacher_.apply(layer, one, rows, scratch);
        continue;
      }
      // Of live tokens only, because the batches may differ in padding.
      const tensor::MatrixView<const float> from =
          first_.teacher_outputs(place)[static_cast<std::size_t>(layer)].rows();
      for (std::int64_t i = 0; i < from.rows; ++i)
        std::ranges::copy(from.row(i), rows.row(i).begin());
      attention::clear_padded_rows(one, rows);
    }
  }

  bool works_by_example() const override { return teacher_.works_by_example(); }

 private:
  const attention::AttentionOperator& teacher_;
  const GuardTally& first_;
  std::span<const std::int64_t> places_;
  mutable std::vector<std::int64_t> seen_;  // examples of each layer
};

}  // namespace asap::evaluate
