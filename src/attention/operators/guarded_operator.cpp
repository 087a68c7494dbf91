#include "attention/operators/guarded_operator.h"

#include "attention/tiled/tiled_attention.h"

namespace asap::attention {

GuardedOperator::GuardedOperator(std::vector<std::vector<CompiledHead>> heads,
                                 std::vector<std::vector<ColumnGuard>> guards)
    : heads_(std::move(heads)), guards_(std::move(guards)) {
  bool fits = guards_.size() == heads_.size();
  for (std::size_t layer = 0; fits && layer < heads_.size(); ++layer)
    fits = guards_[layer].size() == heads_[layer].size();
  base::check(fits, "GuardedOperator: not a guard for every head");
  for (const auto& layer : heads_)
    for (const CompiledHead& head : layer)
      base::check(head.mode == CompiledMode::row_dual, "GuardedOperator: a key bias has no guard");
}

void GuardedOperator::certify(int layer, const AttentionBatch<float>& batch,
                              tensor::MatrixView<float> output, tensor::Arena& scratch,
                              std::span<ColumnCertificate> certificates) const {
  base::check(layer >= 0 && layer < std::ssize(heads_) && std::ssize(heads_[layer]) == batch.heads,
              "GuardedOperator: no such layer, or another number of heads");
  base::check(certificates.empty() || std::ssize(certificates) == batch.examples * batch.heads,
              "GuardedOperator: not a certificate for every head of every example");
  const TiledOptions options{.storage = best_storage(batch.query_tokens(), batch.key_tokens())};
  for (std::int64_t h = 0; h < batch.heads; ++h) {
    const CompiledHead& head = heads_[layer][h];
    for (std::int64_t b = 0; b < batch.examples; ++b) {
      const TiledEvidence evidence = guarded_tiled_compiled_attention(
          head.map(),
          {batch.head_queries(b, h), batch.head_keys(b, h), batch.head_values(b, h),
           head.score_scale},
          guards_[layer][h], options, batch.head_output(output, b, h), scratch);
      if (!certificates.empty()) certificates[b * batch.heads + h] = evidence.certificate;
    }
  }
  clear_padded_rows(batch, output);
}

}  // namespace asap::attention
