#include "evaluate/compare/log_domain_teacher.h"

#include <algorithm>

#include "attention/stored/sinkhorn_log_domain.h"

namespace asap::evaluate {

LogDomainTeacher::LogDomainTeacher(std::unique_ptr<attention::KindOperator> scores, int iterations)
    : scores_(std::move(scores)), iterations_(iterations) {
  base::check(iterations >= 1, "LogDomainTeacher: no iterations");
}

void LogDomainTeacher::apply(int layer, const attention::AttentionBatch<float>& batch,
                             tensor::MatrixView<float> output, tensor::Arena& scratch) const {
  for (std::int64_t b = 0; b < batch.examples; ++b)
    for (std::int64_t h = 0; h < batch.heads; ++h) {
      const attention::AttentionHead<float> head = scores_->head(layer, batch, b, h);
      const tensor::MatrixView<float> out = batch.head_output(output, b, h);
      if (head.queries.rows == 0 || head.keys.rows == 0)
        for (std::int64_t i = 0; i < out.rows; ++i) std::ranges::fill(out.row(i), 0.0F);
      else
        attention::log_domain_sinkhorn_attention<float>(head, iterations_, out, scratch);
    }
  clear_padded_rows(batch, output);
}

}  // namespace asap::evaluate
