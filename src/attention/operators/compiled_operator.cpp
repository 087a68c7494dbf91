#include "attention/operators/compiled_operator.h"

#include "attention/tiled/tiled_attention.h"

namespace asap::attention {

CompiledOperator::CompiledOperator(std::vector<std::vector<CompiledHead>> heads,
                                   int extra_iterations, ProductPrecision precision)
    : heads_(std::move(heads)), extra_iterations_(extra_iterations), precision_(precision) {
  base::check(extra_iterations >= 0, "CompiledOperator: negative number of extra iterations");
}

void CompiledOperator::apply(int layer, const AttentionBatch<float>& batch,
                             tensor::MatrixView<float> output, tensor::Arena& scratch) const {
  base::check(layer >= 0 && layer < std::ssize(heads_) && std::ssize(heads_[layer]) == batch.heads,
              "CompiledOperator: no such layer, or another number of heads");
  const TiledOptions options{
      .storage = best_storage(batch.query_tokens(), batch.key_tokens(), precision_),
      .precision = precision_};
  for (std::int64_t h = 0; h < batch.heads; ++h) {
    const CompiledHead& head = heads_[layer][h];
    const DualMap<float> map = head.map();
    const auto attend =
        head.mode == CompiledMode::key_bias ? tiled_key_bias_attention : tiled_compiled_attention;
    for (std::int64_t b = 0; b < batch.examples; ++b) {
      const TiledEvidence evidence =
          attend(map,
                 {batch.head_queries(b, h), batch.head_keys(b, h), batch.head_values(b, h),
                  head.score_scale},
                 extra_iterations_, options, batch.head_output(output, b, h), scratch);
      if (evidence.log_domain) ++log_domain_heads_;
    }
  }
  clear_padded_rows(batch, output);
}

}  // namespace asap::attention
