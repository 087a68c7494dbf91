#include "onnx/network/dual_features.h"

#include <algorithm>
#include <limits>

#include "onnx/network/log_updates.h"
#include "onnx/network/scaling_updates.h"

namespace asap::onnx {
namespace {

constexpr float kBeyondAll = 1e30f;  // padding sorts after every live token

/// One matrix of every head, [1, H, rows, cols].
template <class Matrix>
Value matrix_per_head(const Operators& ops, const std::string& name, LayerHeads heads,
                      Matrix matrix) {
  const tensor::Tensor<float>& first = matrix(heads.front());
  tensor::Tensor<float> out({1, std::ssize(heads), first.shape()[0], first.shape()[1]});
  float* to = out.data();
  for (const attention::CompiledHead& head : heads)
    to = std::ranges::copy(matrix(head).flat(), to).out;
  return ops.graph().constant(name, out);
}

/// Entries [from, N) or [0, N - 1) of the last dimension.
Value all_but_one(const Operators& ops, const Value& a, bool first_left_out) {
  GraphBuilder& graph = ops.graph();
  return graph.node(
      "Slice", {a, graph.integers({first_left_out ? 1 : 0}),
                graph.integers({first_left_out ? std::numeric_limits<std::int64_t>::max() : -1}),
                graph.integers({3})});
}

std::vector<Value> ascending(const Operators& ops, const Value& a, const LiveTokens& live) {
  return ops.graph().node_with_outputs(
      2, "TopK", {live.masked(ops, a, kBeyondAll), live.tokens},
      {{"axis", std::int64_t{3}}, {"largest", std::int64_t{0}}, {"sorted", std::int64_t{1}}});
}

/// The Kantorovich potential between equally many numbers on the line: sorted, its slope between
/// s_i and s_(i+1) is minus the mean of t_i and t_(i+1). s, t: [B, H, L, N] -> the same.
Value potentials(const Operators& ops, const Value& s, const Value& t, const LiveTokens& live) {
  GraphBuilder& graph = ops.graph();
  const std::vector<Value> sorted = ascending(ops, s, live);
  const Value sorted_t = ascending(ops, t, live).front();
  const Value middle = ops.multiply(
      ops.add(all_but_one(ops, sorted_t, true), all_but_one(ops, sorted_t, false)), -0.5f);
  Value step = ops.subtract(all_but_one(ops, sorted[0], true), all_but_one(ops, sorted[0], false));
  if (live.is_live) step = ops.where(all_but_one(ops, *live.is_live, true), step, 0);
  const Value slopes =
      graph.node("Pad", {ops.multiply(step, middle), graph.integers({0, 0, 0, 1, 0, 0, 0, 0})});
  const Value sums = graph.node("CumSum", {slopes, graph.integers({3})});
  return graph.node("ScatterElements", {s, sorted[1], sums}, {{"axis", std::int64_t{3}}});
}

/// -F/2 s² with the curvature F of the entropic dual of Gaussians (attention::gaussian_curvature).
Value gaussian_duals(const Operators& ops, const Value& s, const Value& t, const LiveTokens& live) {
  const Value squares = ops.multiply(s, s);
  const Value alpha = ops.product(squares, live.average),
              beta = ops.product(ops.multiply(t, t), live.average);
  const Value root = ops.square_root(ops.add(ops.multiply(ops.multiply(alpha, beta), 4), 1));
  return ops.multiply(squares, ops.negative(ops.divide(beta, ops.add(root, 1))));
}

/// -x_i . Σ_j p_j y_j with p the softmax of the scores of the mean query.
Value tilt(const Operators& ops, const CentredColumns& x, const CentredColumns& y,
           const LiveTokens& live) {
  const Value weights = ops.multiply(ops.softmax(start_dual(ops, x, y), 3), live.live);
  const Value mean = ops.divide(ops.product(y.tokens, as_column(ops, weights)),
                                ops.at_least(ops.sum(weights, 3), kTiny));
  return ops.negative(ops.product(as_row(ops, mean), x.tokens));
}

/// The clusters of the tokens of y around the landmarks, a cluster per row.
struct Clusters {
  Value centres;  // [B, H, M', D]
  Value sizes;    // [B, H, M', 1]; 0 of an empty one
};

Clusters clusters_of(const Operators& ops, LayerHeads heads, const CentredColumns& y,
                     const LiveTokens& live) {
  GraphBuilder& graph = ops.graph();
  const std::int64_t count = heads.front().landmarks.rows().rows;
  tensor::Tensor<float> half_norms({1, std::ssize(heads), count, 1}), places({1, 1, count, 1});
  for (std::size_t h = 0; h < heads.size(); ++h)
    for (std::int64_t p = 0; p < count; ++p) {
      float square = 0;
      for (const float value : heads[h].landmarks.rows().row(p)) square += value * value;
      half_norms[static_cast<std::int64_t>(h) * count + p] = square / 2;
    }
  for (std::int64_t p = 0; p < count; ++p) places[p] = static_cast<float>(p);
  const Value landmarks = matrix_per_head(
      ops, "landmarks", heads,
      [](const attention::CompiledHead& head) -> const auto& { return head.landmarks; });
  const Value closeness = ops.subtract(ops.product(landmarks, y.tokens),
                                       graph.constant("landmarks.half_norms", half_norms));
  const Value nearest =
      graph.node("ArgMax", {closeness}, {{"axis", std::int64_t{2}}, {"keepdims", std::int64_t{1}}});
  const Value is_member =
      graph.node("Equal", {ops.to_float(nearest), graph.constant("landmarks.places", places)});
  const Value members = ops.multiply(ops.to_float(is_member), live.live);
  const Value sizes = ops.sum(members, 3);
  return {
      ops.divide(ops.product(members, ops.transpose_matrices(y.tokens)), ops.at_least(sizes, 1)),
      sizes};
}

/// The dual that the teacher's loop reaches on the clusters (attention/compiled/landmark_dual.h).
LandmarkDual landmark_dual(const Operators& ops, LayerHeads heads, const CentredColumns& x,
                           const CentredColumns& y, const LiveTokens& live) {
  const Clusters clusters = clusters_of(ops, heads, y, live);
  const Value scores = ops.product(clusters.centres, x.tokens);  // [B, H, M', N]
  const Value log_sizes =
      ops.where(ops.graph().node("Greater", {clusters.sizes, ops.graph().scalar(0)}),
                ops.logarithm(ops.at_least(clusters.sizes, 1)), kMasked);
  const LogUpdates logarithms(ops, scores, live, log_sizes);
  const bool on_rows = heads.front().mode == attention::CompiledMode::key_bias;
  const Value first =
      on_rows ? ops.product(as_row(ops, y.mean), x.tokens)
              : logarithms.row(logarithms.with_mass(ops.product(clusters.centres, x.mean)));
  const int updates = heads.front().teacher_iterations - (on_rows ? 0 : 1);
  if (updates == 0) return {first, {}, [first] { return first; }};
  const Value kernel = column_kernel(ops, scores, first, live);
  ColumnScaling scaling = column_scaling(ops, kernel, as_row(ops, clusters.sizes), live, updates);
  const Value sums = live.positive(ops, ops.product(scaling.v, kernel));
  scaling.to_bound.push_back(ops.divide(live.live, sums));
  const auto in_logarithms = [&ops, &live, scores, log_sizes, first, updates] {
    const LogUpdates logarithms(ops, scores, live, log_sizes);
    Value f = first;
    for (int t = 0; t < updates; ++t) f = logarithms.row(logarithms.column(f));
    return f;
  };
  return {ops.subtract(first, ops.logarithm(sums)), scaling.to_bound, in_logarithms};
}

}  // namespace

Value start_dual(const Operators& ops, const CentredColumns& x, const CentredColumns& y) {
  return ops.product(as_row(ops, x.mean), y.tokens);
}

DualFeatureRows dual_features(const Operators& ops, LayerHeads heads, const MapInput& input) {
  const auto& [x, y, live] = input;
  const attention::DualFeatures& has = heads.front().features;
  DualFeatureRows rows;
  std::vector<Value>& parts = rows.before_scores;
  if (has.uses_slices()) {
    const auto project = [&](const char* name, auto slices, const CentredColumns& side) {
      return ops.product(matrix_per_head(ops, name, heads, slices), side.tokens);
    };
    const Value s = project(
        "query_slices",
        [](const attention::CompiledHead& head) -> const auto& { return head.query_slices; }, x);
    Value t;
    if (has.potential || has.gaussian)
      t = project(
          "key_slices",
          [](const attention::CompiledHead& head) -> const auto& { return head.key_slices; }, y);
    if (has.potential) parts.push_back(potentials(ops, s, t, live));
    if (has.gaussian) parts.push_back(gaussian_duals(ops, s, t, live));
    if (has.linear) parts.push_back(s);
  }
  if (has.tilt) parts.push_back(tilt(ops, x, y, live));
  if (has.landmarks > 0) rows.landmarks = landmark_dual(ops, heads, x, y, live);
  return rows;
}

}  // namespace asap::onnx
