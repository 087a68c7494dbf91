#include "onnx/network/attention_graph.h"

#include <algorithm>

#include "base/error.h"
#include "onnx/network/loop_graph.h"
#include "onnx/network/map_graph.h"

namespace asap::onnx {
namespace {

using attention::CompiledHead;
using attention::CompiledMode;

bool is_softmax(const CompiledHead& head) { return !head.predicts() && head.iterations == 0; }

bool has_slack(LayerHeads heads) {
  return std::ranges::any_of(heads, [](const CompiledHead& head) { return head.slack > 0; });
}

/// Softmax over keys of the scores and a bias per key, times the values. bias: [.., 1, M].
Value softmax_attention(const Operators& ops, const HeadColumns& columns,
                        const std::optional<Value>& bias) {
  Value scores = ops.product(ops.transpose_matrices(columns.queries), columns.keys);  // [.., N, M]
  if (bias) scores = ops.add(scores, *bias);
  const Value output = ops.product(ops.softmax(scores, 3), ops.transpose_matrices(columns.values));
  return ops.transpose_matrices(output);
}

Value key_bias_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                         const LiveTokens& live) {
  const CentredColumns x = centred(ops, columns.queries, live),
                       y = centred(ops, columns.keys, live);
  const Value bias = predicted_key_bias(ops, heads, x, y, live);
  return softmax_attention(ops, {x.tokens, y.tokens, columns.values, columns.width},
                           live.masked(ops, bias, kMasked));
}

}  // namespace

bool divides_by_row_sums(LayerHeads heads) {
  return heads.front().mode != CompiledMode::key_bias && !is_softmax(heads.front());
}

void require_exportable(LayerHeads heads, int layer, LoopForm form) {
  if (!has_slack(heads)) return;
  const std::string where = "layer " + std::to_string(layer) + ": ";
  if (heads.front().predicts())
    throw base::UsageError(where + "a compiled map with slack cannot be exported so far",
                           "export `method` teacher, or compile a teacher without slack");
  if (form == LoopForm::log_domain)
    throw base::UsageError(where + "`method` teacher_log has no form with slack",
                           "export `method` teacher");
}

Value add_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                    const LiveTokens& live, LoopForm form) {
  const CompiledHead& first = heads.front();
  if (first.mode == CompiledMode::key_bias) return key_bias_attention(ops, heads, columns, live);
  if (first.features.start) {
    std::vector<CompiledHead> general;
    for (const CompiledHead& head : heads) general.push_back(head.general());
    return map_attention(ops, general, columns, live);
  }
  if (first.predicts()) return map_attention(ops, heads, columns, live);
  if (is_softmax(first)) return softmax_attention(ops, columns, live.bias);
  if (form == LoopForm::log_domain) return log_domain_attention(ops, heads, columns, live);
  return has_slack(heads) ? slack_loop_attention(ops, heads, columns, live)
                          : loop_attention(ops, heads, columns, live);
}

}  // namespace asap::onnx
