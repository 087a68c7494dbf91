#include "evaluate/compare/log_domain_teacher.h"

#include "attention/stored/sinkhorn_log_domain.h"

namespace asap::evaluate {

LogDomainTeacher::LogDomainTeacher(std::unique_ptr<attention::KindOperator> scores, int iterations)
    : scores_(std::move(scores)), iterations_(iterations) {
  base::check(iterations >= 1, "LogDomainTeacher: no iterations");
}

void LogDomainTeacher::apply(int layer, const attention::AttentionBatch<float>& batch,
                             tensor::MatrixView<float> output, tensor::Arena& scratch) const {
  for (std::int64_t b = 0; b < batch.examples; ++b)
    for (std::int64_t h = 0; h < batch.heads; ++h)
      attention::log_domain_sinkhorn_attention<float>(
          scores_->head(layer, batch, b, h), iterations_, batch.head_output(output, b, h), scratch);
  clear_padded_rows(batch, output);
}

}  // namespace asap::evaluate
