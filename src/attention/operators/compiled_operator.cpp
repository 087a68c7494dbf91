#include "attention/operators/compiled_operator.h"

#include "attention/tiled/tiled_attention.h"

namespace asap::attention {

CompiledHead CompiledHead::general() const {
  CompiledHead head = *this;
  GeneralMap<float> general(map());
  head.features = general.map.features;
  head.weights = std::move(general.weights);
  return head;
}

CompiledOperator::CompiledOperator(std::vector<std::vector<CompiledHead>> heads,
                                   int extra_iterations, std::optional<ProductPrecision> precision)
    : heads_(std::move(heads)), extra_iterations_(extra_iterations) {
  base::check(extra_iterations >= 0, "CompiledOperator: negative number of extra iterations");
  if (!precision) return;
  for (auto& layer : heads_)
    for (CompiledHead& head : layer) head.precision = *precision;
}

bool CompiledOperator::attend(const CompiledHead& head, const AttentionHead<float>& inputs,
                              tensor::MatrixView<float> output, tensor::Arena& scratch) const {
  if (head.mode == CompiledMode::sinkhorn)
    return fastest_sinkhorn_attention(inputs, head.iterations + extra_iterations_, output, scratch,
                                      head.precision)
        .log_domain;
  const auto attend =
      head.mode == CompiledMode::key_bias ? tiled_key_bias_attention : tiled_compiled_attention;
  const TiledOptions options{
      .storage = best_storage(inputs.queries.rows, inputs.keys.rows, head.precision),
      .precision = head.precision};
  return attend(head.map(), inputs, extra_iterations_, options, output, scratch).log_domain;
}

void CompiledOperator::apply(int layer, const AttentionBatch<float>& batch,
                             tensor::MatrixView<float> output, tensor::Arena& scratch) const {
  base::check(layer >= 0 && layer < std::ssize(heads_) && std::ssize(heads_[layer]) == batch.heads,
              "CompiledOperator: no such layer, or another number of heads");
  for (std::int64_t h = 0; h < batch.heads; ++h) {
    const CompiledHead& head = heads_[layer][h];
    for (std::int64_t b = 0; b < batch.examples; ++b)
      if (attend(
              head,
              head.inputs(batch.head_queries(b, h), batch.head_keys(b, h), batch.head_values(b, h)),
              batch.head_output(output, b, h), scratch))
        ++log_domain_heads_;
  }
  clear_padded_rows(batch, output);
}

}  // namespace asap::attention
