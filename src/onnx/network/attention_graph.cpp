#include "onnx/network/attention_graph.h"

#include <algorithm>

#include "base/error.h"
#include "onnx/network/dual_features.h"

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

/// 0 for live tokens, kMasked for padding: [B, 1, 1, N]; none without padding.
std::optional<Value> padding_bias(const Operators& ops, const LiveTokens& live) {
  if (!live.is_live) return {};
  return ops.multiply(ops.add(live.live, -1), -kMasked);
}

/// exp(S - top) and top, the largest score of every query.
struct ShiftedKernel {
  Value entries;  // [B, H, M, N]
  Value top;      // [B, H, 1, N]
};

ShiftedKernel shifted_kernel(const Operators& ops, const Value& scores) {
  const Value top = ops.maximum(scores, 2);
  return {ops.exponential(ops.subtract(scores, top)), top};
}

/// -log Σ_j w_j exp(S_ij), one row for each row of weights: [.., R, M] -> [B, H, R, N].
Value row_updates(const Operators& ops, const ShiftedKernel& kernel, const Value& weights) {
  const Value sums = ops.at_least(ops.product(weights, kernel.entries), kTiny);
  return ops.negative(ops.add(kernel.top, ops.logarithm(sums)));
}

/// Scores of uncentred queries with a key per row, [B, H, M, N]. Padded keys have score 0 for every
/// query, and then keys are centred, which changes a query's scores by a constant: the largest is
/// that of a live key.
Value loop_scores(const Operators& ops, const HeadColumns& columns, const LiveTokens& live) {
  const Value keys = live.is_live ? centred(ops, columns.keys, live).tokens : columns.keys;
  return ops.product(ops.transpose_matrices(keys), columns.queries);
}

Value loop_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                     const LiveTokens& live) {
  const Value scores = loop_scores(ops, columns, live);
  const Value first = row_updates(ops, shifted_kernel(ops, scores), live.live);
  const Value kernel = column_kernel(ops, scores, first, live);
  const Value v = column_scaling(ops, kernel, live.live, heads.front().iterations);
  return closed_plan_times(ops, kernel, v, columns);
}

/// The loop with slack (attention/README.md): v = (1 + c) / (Kᵀ u + s), s = c N / Σ_j v_j with the
/// v before. s keeps divisors away from zero, so the kernel needs no second update by softmax.
Value slack_loop_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                           const LiveTokens& live) {
  const Value kernel = shifted_kernel(ops, loop_scores(ops, columns, live)).entries;
  const Value capacity =
      per_head(ops, "slack", heads, [](const CompiledHead& head) { return head.slack; });
  const Value most = ops.multiply(live.live, ops.add(capacity, 1));
  const Value slack_mass = ops.multiply(capacity, live.count);
  Value v = live.live;
  for (int t = 0; t < heads.front().iterations; ++t) {
    const Value row_sums = ops.at_least(ops.product(v, kernel), kTiny);
    const Value u = ops.divide(live.live, row_sums);
    const Value s = ops.divide(slack_mass, ops.at_least(ops.sum(v, 3), kTiny));
    const Value column_sums = as_row(ops, ops.product(kernel, as_column(ops, u)));
    v = ops.divide(most, ops.at_least(ops.add(column_sums, s), kTiny));
  }
  return closed_plan_times(ops, kernel, v, columns);
}

/// Every update a log-sum-exp over [B, H, M, N].
Value log_domain_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                           const LiveTokens& live) {
  const Value scores = ops.product(ops.transpose_matrices(columns.keys), columns.queries);
  const std::optional<Value> bias = padding_bias(ops, live);
  const std::optional<Value> key_bias =
      bias ? std::optional(ops.reshape(*bias, {0, 1, -1, 1})) : std::nullopt;
  Value shifted = key_bias ? ops.add(scores, *key_bias) : scores;
  Value f = ops.negative(ops.log_sum_exp(shifted, 2));
  for (int t = 0; t < heads.front().iterations; ++t) {
    const Value masked = bias ? ops.add(f, *bias) : f;
    Value g = ops.negative(ops.log_sum_exp(ops.add(scores, masked), 3));
    if (key_bias) g = ops.add(g, *key_bias);
    shifted = ops.add(scores, g);
    f = ops.negative(ops.log_sum_exp(shifted, 2));
  }
  return closed_plan_times(ops, ops.exponential(ops.add(shifted, f)), live.live, columns);
}

/// The weights of the features in every stage, [1, H, 1 + k, P].
Value feature_weights(const Operators& ops, LayerHeads heads) {
  const attention::DualMap<float> first = heads.front().map();
  const int stages = first.features.corrections + 1;
  tensor::Tensor<float> out({1, std::ssize(heads), stages, first.feature_count()});
  float* to = out.data();
  for (const CompiledHead& head : heads)
    for (int stage = 0; stage < stages; ++stage)
      to = std::ranges::copy(head.map().feature_weights(stage), to).out;
  return ops.graph().constant("feature_weights", out);
}

/// Those of d_1 .. d_t in stage t, [1, H, 1, t].
Value difference_weights(const Operators& ops, LayerHeads heads, int stage) {
  tensor::Tensor<float> out({1, std::ssize(heads), 1, stage});
  float* to = out.data();
  for (const CompiledHead& head : heads)
    to = std::ranges::copy(head.map().difference_weights(stage), to).out;
  return ops.graph().constant("difference_weights." + std::to_string(stage), out);
}

/// The predicted dual of the tokens of x, one row for every stage of the map: Φ w_t.
std::vector<Value> map_rows(const Operators& ops, LayerHeads heads, const MapInput& input) {
  const Value features = dual_features(ops, heads, input);
  return ops.split_rows(ops.product(feature_weights(ops, heads), features),
                        heads.front().features.corrections + 1);
}

Value key_bias_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                         const LiveTokens& live) {
  const CentredColumns x = centred(ops, columns.queries, live),
                       y = centred(ops, columns.keys, live);
  const Value bias = map_rows(ops, heads, {y, x, live, {}}).front();
  return softmax_attention(ops, {x.tokens, y.tokens, columns.values, columns.width},
                           live.masked(ops, bias, kMasked));
}

/// How much of the start dual the scores hold. Their rows and columns may be shifted as one likes;
/// with both `lse` and `lse0`, half of it in the scores and half in the weights keeps weights in
/// range.
float share_of_start(const attention::DualFeatures& features) {
  if (!features.first_dual) return 0;
  return features.log_sum_exp ? 0.5f : 1.0f;
}

/// The rows of `lse` and `lse0` from one kernel; none without these features.
std::optional<Value> score_rows(const Operators& ops, const attention::DualFeatures& features,
                                const Value& scores, const Value& start, const LiveTokens& live) {
  if (!features.uses_scores()) return {};
  const ShiftedKernel kernel = shifted_kernel(ops, scores);
  if (!features.log_sum_exp || !features.first_dual) return row_updates(ops, kernel, live.live);
  const auto weights = [&](float share) {
    return ops.multiply(ops.softmax(ops.multiply(start, share), 3), live.live);
  };
  return row_updates(ops, kernel, ops.concatenate({weights(-0.5f), weights(0.5f)}, 2));
}

/// v after the corrected iterations of a map (DualMap in attention/compiled), as column_scaling: f
/// relative to the dual that made the kernel.
Value corrected_scaling(const Operators& ops, LayerHeads heads, const Value& kernel,
                        std::span<const Value> rows, const LiveTokens& live) {
  Value v = live.live, f;
  std::vector<Value> differences;
  for (int t = 1; t <= heads.front().features.corrections; ++t) {
    const Value sums = ops.at_least(ops.product(v, kernel), kTiny);
    const Value iterated = ops.negative(ops.logarithm(sums));
    differences.push_back(t == 1 ? iterated : ops.subtract(iterated, f));
    const Value correction =
        ops.product(difference_weights(ops, heads, t), ops.concatenate(differences, 2));
    f = ops.add(ops.add(iterated, correction), rows[static_cast<std::size_t>(t)]);
    const Value masked = live.masked(ops, f, kMasked);
    const Value u = ops.exponential(ops.subtract(masked, ops.maximum(masked, 3)));
    v = ops.divide(live.live, as_row(ops, ops.product(kernel, as_column(ops, u))));
  }
  return v;
}

Value map_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                    const LiveTokens& live) {
  const CompiledHead& first = heads.front();
  const CentredColumns x = centred(ops, columns.queries, live),
                       y = centred(ops, columns.keys, live);
  const float share = share_of_start(first.features);
  const Value queries = share == 0 ? x.tokens : ops.add(x.tokens, ops.multiply(x.mean, share));
  const Value scores = ops.product(ops.transpose_matrices(y.tokens), queries);
  if (first.weights.empty()) {  // f̂ = 0
    const Value kernel = column_kernel(ops, scores, ops.multiply(live.live, 0), live);
    return closed_plan_times(ops, kernel, live.live, columns);
  }
  const Value start = start_dual(ops, x, y);
  const std::vector<Value> rows =
      map_rows(ops, heads, {x, y, live, score_rows(ops, first.features, scores, start, live)});
  const Value kernel = column_kernel(ops, scores, rows.front(), live);
  const Value v = corrected_scaling(ops, heads, kernel, rows, live);
  return closed_plan_times(ops, kernel, v, columns);
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
  if (is_softmax(first)) return softmax_attention(ops, columns, padding_bias(ops, live));
  if (form == LoopForm::log_domain) return log_domain_attention(ops, heads, columns, live);
  return has_slack(heads) ? slack_loop_attention(ops, heads, columns, live)
                          : loop_attention(ops, heads, columns, live);
}

}  // namespace asap::onnx
