#include "attention/kernel_operator.h"

namespace asap {

void KernelOperator::apply(int layer, const AttentionBatch<float>& batch, MatrixView<float> output,
                           Arena& scratch) const {
  for (std::int64_t b = 0; b < batch.examples; ++b)
    for (std::int64_t h = 0; h < batch.heads; ++h) {
      const AttentionHead<float> head{batch.head_queries(b, h), batch.head_keys(b, h),
                                      batch.head_values(b, h), scale(layer, h)};
      kernel_->infer(head, batch.head_output(output, b, h), scratch);
    }
  clear_padded_rows(batch, output);
}

}  // namespace asap
