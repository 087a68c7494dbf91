#include "attention/operators/guarded_operator.h"

#include "attention/stored/sinkhorn_attention.h"
#include "attention/tiled/tiled_attention.h"

namespace asap::attention {
namespace {

/// A loop that was cut is certified by its own last iteration; beyond the guard, the whole loop
/// follows.
ColumnCertificate certify_loop(const CompiledHead& head, const AttentionHead<float>& inputs,
                               const ColumnGuard& guard, tensor::MatrixView<float> output,
                               tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  ColumnCertificate certificate;
  const float error =
      sinkhorn_attention<float>(inputs, head.iterations, output, scratch).column_error;
  if (certificate.goes_on(guard, error) || certificate.restarted) {
    certificate.restarted = true;
    certificate.iterations = head.teacher_iterations;
    fastest_sinkhorn_attention(inputs, head.teacher_iterations, output, scratch);
  }
  return certificate;
}

ColumnCertificate certify_head(const CompiledHead& head, const AttentionHead<float>& inputs,
                               const ColumnGuard& guard, tensor::MatrixView<float> output,
                               tensor::Arena& scratch) {
  if (!head.predicts()) return certify_loop(head, inputs, guard, output, scratch);
  const TiledOptions options{.storage = best_storage(inputs.queries.rows, inputs.keys.rows)};
  return guarded_tiled_compiled_attention(head.map(), inputs, guard, options, output, scratch)
      .certificate;
}

}  // namespace

GuardedOperator::GuardedOperator(std::vector<std::vector<CompiledHead>> heads,
                                 std::vector<std::vector<ColumnGuard>> guards)
    : heads_(std::move(heads)), guards_(std::move(guards)) {
  bool fits = guards_.size() == heads_.size();
  for (std::size_t layer = 0; fits && layer < heads_.size(); ++layer)
    fits = guards_[layer].size() == heads_[layer].size();
  base::check(fits, "GuardedOperator: not a guard for every head");
  for (const auto& layer : heads_)
    for (const CompiledHead& head : layer)
      base::check(head.mode != CompiledMode::key_bias, "GuardedOperator: a key bias has no guard");
}

void GuardedOperator::certify(int layer, const AttentionBatch<float>& batch,
                              tensor::MatrixView<float> output, tensor::Arena& scratch,
                              std::span<ColumnCertificate> certificates) const {
  base::check(layer >= 0 && layer < std::ssize(heads_) && std::ssize(heads_[layer]) == batch.heads,
              "GuardedOperator: no such layer, or another number of heads");
  base::check(certificates.empty() || std::ssize(certificates) == batch.examples * batch.heads,
              "GuardedOperator: not a certificate for every head of every example");
  for (std::int64_t h = 0; h < batch.heads; ++h) {
    const CompiledHead& head = heads_[layer][h];
    for (std::int64_t b = 0; b < batch.examples; ++b) {
      const ColumnCertificate certificate =
          certify_head(head,
                       {batch.head_queries(b, h), batch.head_keys(b, h), batch.head_values(b, h),
                        head.score_scale},
                       guards_[layer][h], batch.head_output(output, b, h), scratch);
      if (!certificates.empty()) certificates[b * batch.heads + h] = certificate;
    }
  }
  clear_padded_rows(batch, output);
}

}  // namespace asap::attention
