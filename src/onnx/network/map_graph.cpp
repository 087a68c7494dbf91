#include "onnx/network/map_graph.h"

#include <algorithm>

#include "onnx/network/dual_features.h"
#include "onnx/network/log_updates.h"
#include "onnx/network/scaling_updates.h"

namespace asap::onnx {
namespace {

using attention::CompiledHead;

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

/// A layer's map, and the features of one call that read no scores.
struct MapOfLayer {
  attention::DualFeatures has;
  Value weights;                   // [1, H, 1 + k, P]
  std::vector<Value> differences;  // of stage t at t - 1
  Value start;                     // [B, H, 1, M]
  DualFeatureRows features;
};

MapOfLayer map_of_layer(const Operators& ops, LayerHeads heads, const MapInput& input) {
  MapOfLayer map{.has = heads.front().features,
                 .weights = feature_weights(ops, heads),
                 .differences = {},
                 .start = start_dual(ops, input.x, input.y),
                 .features = dual_features(ops, heads, input)};
  for (int t = 1; t <= map.has.corrections; ++t)
    map.differences.push_back(difference_weights(ops, heads, t));
  return map;
}

/// The predicted dual of every stage: Φ w_t. score_rows: `lse` and `lse0`.
std::vector<Value> predicted(const Operators& ops, const MapOfLayer& map,
                             const std::optional<Value>& score_rows,
                             const std::optional<Value>& landmark_dual) {
  std::vector<Value> parts = map.features.before_scores;
  if (score_rows) parts.push_back(*score_rows);
  if (landmark_dual) parts.push_back(*landmark_dual);
  return ops.split_rows(ops.product(map.weights, ops.concatenate(parts, 2)),
                        map.has.corrections + 1);
}

std::optional<Value> fast_landmark_dual(const MapOfLayer& map) {
  return map.features.landmarks ? std::optional(map.features.landmarks->dual) : std::nullopt;
}
std::optional<Value> exact_landmark_dual(const MapOfLayer& map) {
  return map.features.landmarks ? std::optional(map.features.landmarks->in_logarithms())
                                : std::nullopt;
}

/// f_t = h_t + [d_1 .. d_t] w_t + Φ w_t
Value corrected(const Operators& ops, const MapOfLayer& map, const Value& iterated,
                const std::vector<Value>& differences, const std::vector<Value>& rows) {
  const std::size_t t = differences.size();
  const Value correction = ops.product(map.differences[t - 1], ops.concatenate(differences, 2));
  return ops.add(ops.add(iterated, correction), rows[t]);
}

/// How much of the start dual the scores hold. Their rows and columns may be shifted as one likes;
/// with both `lse` and `lse0`, half of it in the scores and half in the weights keeps weights in
/// range.
float share_of_start(const attention::DualFeatures& features) {
  if (!features.first_dual) return 0;
  return features.log_sum_exp ? 0.5f : 1.0f;
}

/// `lse` and `lse0` from one kernel, with sums to check; none without these features.
std::optional<RowUpdates> score_rows(const Operators& ops, const MapOfLayer& map,
                                     const Value& scores, const LiveTokens& live) {
  if (!map.has.uses_scores()) return {};
  const ShiftedKernel kernel = shifted_kernel(ops, scores);
  if (!map.has.log_sum_exp || !map.has.first_dual) return row_updates(ops, kernel, live.live, live);
  const auto weights = [&](float share) {
    return ops.multiply(ops.softmax(ops.multiply(map.start, share), 3), live.live);
  };
  return row_updates(ops, kernel, ops.concatenate({weights(-0.5f), weights(0.5f)}, 2), live);
}

/// v after the corrected iterations of a map (DualMap in attention/compiled), as column_scaling: f
/// relative to the dual that made the kernel. Row sums are at most the sum of v.
ColumnScaling corrected_scaling(const Operators& ops, const MapOfLayer& map, const Value& kernel,
                                const std::vector<Value>& rows, const LiveTokens& live) {
  ColumnScaling scaling{live.live, {}};
  Value f;
  std::vector<Value> differences, row_sums;
  for (int t = 1; t <= map.has.corrections; ++t) {
    const Value sums = live.positive(ops, ops.product(scaling.v, kernel));
    const Value iterated = ops.negative(ops.logarithm(sums));
    differences.push_back(t == 1 ? iterated : ops.subtract(iterated, f));
    f = corrected(ops, map, iterated, differences, rows);
    const Value masked = live.masked(ops, f, kMasked);
    const Value u = ops.exponential(ops.subtract(masked, ops.maximum(masked, 3)));
    scaling.v = ops.divide(live.live, as_row(ops, ops.product(kernel, as_column(ops, u))));
    scaling.to_bound.push_back(scaling.v);
    row_sums.push_back(sums);
  }
  if (!row_sums.empty())
    scaling.to_bound.push_back(ops.divide(live.live, ops.smallest_of(row_sums)));
  return scaling;
}

/// `lse` and `lse0`, each from scores of their own.
std::optional<Value> score_rows_in_logarithms(const Operators& ops, const MapOfLayer& map,
                                              const LogUpdates& updates) {
  std::vector<Value> rows;
  if (map.has.log_sum_exp) rows.push_back(updates.row(updates.no_column_dual()));
  if (map.has.first_dual) rows.push_back(updates.row(updates.with_mass(as_column(ops, map.start))));
  if (rows.empty()) return {};
  return ops.concatenate(rows, 2);
}

Value map_in_logarithms(const Operators& ops, const MapOfLayer& map, const LogUpdates& updates) {
  const std::vector<Value> rows =
      predicted(ops, map, score_rows_in_logarithms(ops, map, updates), exact_landmark_dual(map));
  Value f = rows.front();
  std::vector<Value> differences;
  for (int t = 1; t <= map.has.corrections; ++t) {
    const Value iterated = updates.row(updates.column(f));
    differences.push_back(ops.subtract(iterated, f));
    f = corrected(ops, map, iterated, differences, rows);
  }
  return f;
}

}  // namespace

Value predicted_key_bias(const Operators& ops, LayerHeads heads, const CentredColumns& x,
                         const CentredColumns& y, const LiveTokens& live) {
  const MapOfLayer map = map_of_layer(ops, heads, {y, x, live});
  const std::optional<LandmarkDual>& landmarks = map.features.landmarks;
  if (!landmarks || landmarks->to_bound.empty())
    return predicted(ops, map, {}, fast_landmark_dual(map)).front();
  const Value dual = ops.graph().choose(
      are_in_range(ops, landmarks->to_bound),
      [&] { return ops.graph().node("Identity", {landmarks->dual}); }, landmarks->in_logarithms);
  return predicted(ops, map, {}, dual).front();
}

Value map_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                    const LiveTokens& live) {
  const CompiledHead& first = heads.front();
  const CentredColumns x = centred(ops, columns.queries, live, Padding::kept),
                       y = centred(ops, columns.keys, live);
  const float share = share_of_start(first.features);
  const Value queries = share == 0 ? x.tokens : ops.add(x.tokens, ops.multiply(x.mean, share));
  const Value scores = ops.product(ops.transpose_matrices(y.tokens), queries);
  const auto in_logarithms = [&](const std::function<Value(const LogUpdates&)>& row_dual) {
    return [&ops, &x, &y, &columns, &live, row_dual] {
      const LogUpdates updates(ops, ops.product(ops.transpose_matrices(y.tokens), x.tokens), live);
      const Value g = updates.column(row_dual(updates));
      return closed_plan_times(ops, updates.plan(g), live.live, columns);
    };
  };
  if (first.weights.empty())  // f̂ = 0
    return checked_plan_times(
        ops, column_kernel(ops, scores, live), {live.live, {}}, columns, live,
        in_logarithms([&](const LogUpdates&) { return ops.multiply(live.live, 0); }));
  const MapOfLayer map = map_of_layer(ops, heads, {x, y, live});
  const std::optional<RowUpdates> read = score_rows(ops, map, scores, live);
  const std::vector<Value> rows = predicted(
      ops, map, read ? std::optional(read->duals) : std::nullopt, fast_landmark_dual(map));
  const Value kernel = column_kernel(ops, scores, rows.front(), live);
  ColumnScaling scaling = corrected_scaling(ops, map, kernel, rows, live);
  if (read && map.has.log_sum_exp && map.has.first_dual)
    scaling.to_bound.push_back(ops.divide(live.live, read->sums));
  if (map.features.landmarks)
    scaling.to_bound.insert(scaling.to_bound.end(), map.features.landmarks->to_bound.begin(),
                            map.features.landmarks->to_bound.end());
  return checked_plan_times(ops, kernel, scaling, columns, live,
                            in_logarithms([&](const LogUpdates& updates) {
                              return map_in_logarithms(ops, map, updates);
                            }));
}

}  // namespace asap::onnx
