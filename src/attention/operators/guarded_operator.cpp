#include "attention/operators/guarded_operator.h"

#include "attention/tiled/tiled_attention.h"

namespace asap::attention {
namespace {

ColumnCertificate bounded_attention(const CompiledHead& head, const AttentionHead<float>& inputs,
                                    const HeadGuard& guard, tensor::MatrixView<float> output,
                                    tensor::Arena& scratch) {
  const LoopGuard loop{guard.limit, head.teacher_iterations, guard.start_limit};
  if (!head.predicts())
    return guarded_sinkhorn_attention(inputs, head.iterations, loop, output, scratch,
                                      head.precision)
        .certificate;
  const TiledOptions options{
      .storage = best_storage(inputs.queries.rows, inputs.keys.rows, head.precision),
      .precision = head.precision};
  return bounded_tiled_compiled_attention(head.map(), inputs, options, output, scratch, loop)
      .certificate;
}

/// Whether the guard of a head may leave it to the teacher's whole loop, which is not what it runs
/// anyway.
bool may_leave(const CompiledHead& head, const HeadGuard& guard) {
  return guard.rule == HeadGuard::Rule::bounded &&
         (head.predicts() || head.iterations < head.teacher_iterations);
}

/// What `guard` makes of a head in attention; a whole loop needs no certificate there.
ColumnCertificate certified_attention(const CompiledHead& head, const AttentionHead<float>& inputs,
                                      const HeadGuard& guard, tensor::MatrixView<float> output,
                                      tensor::Arena& scratch) {
  if (guard.rule != HeadGuard::Rule::bounded || may_leave(head, guard))
    return guarded_head_attention(head, inputs, guard, output, scratch);
  fastest_sinkhorn_attention(inputs, head.iterations, output, scratch, head.precision);
  return {};
}

/// Whether what a head did is the teacher's whole loop, in float.
bool is_teachers(const CompiledHead& head, const HeadGuard& guard,
                 const ColumnCertificate& certificate) {
  if (guard.rule == HeadGuard::Rule::loop) return true;
  if (guard.rule == HeadGuard::Rule::warm || head.precision != ProductPrecision::single)
    return false;
  return certificate.iterations > 0 || !may_leave(head, guard);
}

}  // namespace

ColumnCertificate guarded_head_attention(const CompiledHead& head,
                                         const AttentionHead<float>& inputs, const HeadGuard& guard,
                                         tensor::MatrixView<float> output, tensor::Arena& scratch) {
  switch (guard.rule) {
    case HeadGuard::Rule::bounded:
      return bounded_attention(head, inputs, guard, output, scratch);
    case HeadGuard::Rule::warm: {
      const ColumnGuard warm{guard.limit, guard.limit, head.teacher_iterations};
      return guarded_tiled_compiled_attention(
                 head.map(), inputs, warm,
                 {.storage = best_storage(inputs.queries.rows, inputs.keys.rows)}, output, scratch)
          .certificate;
    }
    case HeadGuard::Rule::loop:
      fastest_sinkhorn_attention(inputs, head.teacher_iterations, output, scratch);
      return {.iterations = head.teacher_iterations};
  }
  throw base::InternalError("guarded_head_attention: unknown rule");
}

GuardedOperator::GuardedOperator(std::vector<std::vector<CompiledHead>> heads,
                                 std::vector<std::vector<HeadGuard>> guards)
    : heads_(std::move(heads)), guards_(std::move(guards)) {
  bool fits = guards_.size() == heads_.size();
  for (std::size_t layer = 0; fits && layer < heads_.size(); ++layer)
    fits = guards_[layer].size() == heads_[layer].size();
  base::check(fits, "GuardedOperator: not a guard for every head");
  for (std::size_t layer = 0; layer < heads_.size(); ++layer)
    for (std::size_t h = 0; h < heads_[layer].size(); ++h) {
      const CompiledHead& head = heads_[layer][h];
      base::check(head.mode != CompiledMode::key_bias, "GuardedOperator: a key bias has no guard");
      base::check(head.predicts() || guards_[layer][h].rule != HeadGuard::Rule::warm,
                  "GuardedOperator: a loop is never warm");
    }
}

void GuardedOperator::certify(int layer, const AttentionBatch<float>& batch,
                              tensor::MatrixView<float> output, tensor::Arena& scratch,
                              std::span<ColumnCertificate> certificates) const {
  base::check(layer >= 0 && layer < std::ssize(heads_) && std::ssize(heads_[layer]) == batch.heads,
              "GuardedOperator: no such layer, or another number of heads");
  base::check(certificates.empty() || std::ssize(certificates) == batch.examples * batch.heads,
              "GuardedOperator: not a certificate for every head of every example");
  const tensor::ArenaScope scope(scratch);
  std::int64_t* const teacher_heads = scratch.take<std::int64_t>(batch.examples);
  std::fill_n(teacher_heads, batch.examples, 0);
  for (std::int64_t h = 0; h < batch.heads; ++h) {
    const CompiledHead& head = heads_[layer][h];
    const bool counts = !batch.guarded.empty() && may_leave(head, guards_[layer][h]);
    for (std::int64_t b = 0; b < batch.examples; ++b) {
      const ColumnCertificate certificate =
          certified_attention(head,
                              {batch.head_queries(b, h), batch.head_keys(b, h),
                               batch.head_values(b, h), head.score_scale},
                              guards_[layer][h], batch.head_output(output, b, h), scratch);
      if (!certificates.empty()) certificates[b * batch.heads + h] = certificate;
      teacher_heads[b] += is_teachers(head, guards_[layer][h], certificate);
      if (!counts) continue;
      ++batch.guarded[b].heads;
      batch.guarded[b].left += certificate.iterations > 0;
    }
  }
  if (!batch.guarded.empty())
    for (std::int64_t b = 0; b < batch.examples; ++b) {
      std::int32_t& layers = batch.guarded[b].teacher_layers;
      layers += layers == layer && teacher_heads[b] == batch.heads;
    }
  clear_padded_rows(batch, output);
}

}  // namespace asap::attention
