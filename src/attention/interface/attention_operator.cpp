#include "attention/interface/attention_operator.h"

#include <algorithm>

namespace asap::attention {

void AttentionOperator::plans(int layer, const AttentionBatch<float>& batch,
                              tensor::MatrixView<float> plans, tensor::Arena& scratch) const {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t m = batch.key_tokens();
  const tensor::MatrixView<float> identity = scratch.matrix<float>(m, batch.heads * m);
  for (std::int64_t j = 0; j < m; ++j) {
    std::ranges::fill(identity.row(j), 0.0f);
    for (std::int64_t head = 0; head < batch.heads; ++head) identity(j, head * m + j) = 1;
  }
  AttentionBatch<float> unit = batch;
  unit.values = identity;
  apply(layer, unit, plans, scratch);
}

}  // namespace asap::attention
