#include "attention/operators/kind_operator.h"

#include <algorithm>

namespace asap::attention {

AttentionHead<float> KindOperator::head(int layer, const AttentionBatch<float>& batch,
                                        std::int64_t example, std::int64_t head) const {
  AttentionHead<float> out{batch.head_queries(example, head), batch.head_keys(example, head),
                           batch.head_values(example, head), scale(layer, head)};
  out.layer = layer;
  if (!slacks_.empty()) out.slack = slacks_[layer][head];
  if (!learned_.empty()) {
    const tensor::Tensor<float>& learned = learned_[layer];
    const std::int64_t rows = learned.shape()[1], cols = learned.shape()[2];
    out.learned = {learned.data() + head * rows * cols, rows, cols};
  }
  return out;
}

void KindOperator::apply(int layer, const AttentionBatch<float>& batch,
                         tensor::MatrixView<float> output, tensor::Arena& scratch) const {
  for (std::int64_t b = 0; b < batch.examples; ++b)
    for (std::int64_t h = 0; h < batch.heads; ++h)
      kind_->infer(head(layer, batch, b, h), batch.head_output(output, b, h), scratch);
  clear_padded_rows(batch, output);
}

void KindOperator::plans(int layer, const AttentionBatch<float>& batch,
                         tensor::MatrixView<float> plans, tensor::Arena& scratch) const {
  for (std::int64_t i = 0; i < plans.rows; ++i) std::ranges::fill(plans.row(i), 0.0f);
  for (std::int64_t h = 0; h < batch.heads; ++h) {
    const tensor::MatrixView<float> plan =
        plans.block(0, h * batch.key_tokens(), batch.live_query_count(0), batch.live_key_count(0));
    kind_->plan(head(layer, batch, 0, h), plan, scratch);
  }
}

}  // namespace asap::attention
