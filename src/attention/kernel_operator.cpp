#include "attention/kernel_operator.h"

namespace asap {

void KernelOperator::apply(int layer, const AttentionBatch<float>& batch, MatrixView<float> output,
                           Arena& scratch) const {
  AttentionEvidence evidence;
  for (std::int64_t b = 0; b < batch.examples; ++b)
    for (std::int64_t h = 0; h < batch.heads; ++h) {
      const ArenaScope scope(scratch);
      const AttentionHead<float> head{batch.head_queries(b, h), batch.head_keys(b, h),
                                      batch.head_values(b, h), scale(layer, h)};
      kernel_->forward(head, batch.head_output(output, b, h), scratch, evidence);
    }
  clear_padded_rows(batch, output);
}

}  // namespace asap
