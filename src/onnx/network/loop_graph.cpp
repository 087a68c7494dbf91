#include "onnx/network/loop_graph.h"

#include <cmath>

#include "onnx/network/log_updates.h"
#include "onnx/network/scaling_updates.h"

namespace asap::onnx {
namespace {

/// Scores of uncentred queries with a key per row, [B, H, M, N]. Padded keys have score 0 for every
/// query, and then keys are centred, which changes a query's scores by a constant: the largest is
/// that of a live key.
Value loop_scores(const Operators& ops, const HeadColumns& columns, const LiveTokens& live) {
  const Value keys = live.is_live ? centred(ops, columns.keys, live).tokens : columns.keys;
  return ops.product(ops.transpose_matrices(keys), columns.queries);
}

/// The capacities of the slack rows, c of every head, and what is made of them: [1, H, 1, 1].
struct SlackOfHeads {
  Value c, log_c, log_capacity;  // log_capacity: log (1 + c)
};

SlackOfHeads slack_of(const Operators& ops, LayerHeads heads) {
  using attention::CompiledHead;
  return {per_head(ops, "slack", heads, [](const CompiledHead& head) { return head.slack; }),
          per_head(ops, "slack.log", heads,
                   [](const CompiledHead& head) {
                     return head.slack > 0 ? std::log(head.slack) : kMasked;
                   }),
          per_head(ops, "slack.capacity", heads,
                   [](const CompiledHead& head) { return std::log1p(head.slack); })};
}

/// log(exp a + exp b)
Value log_of_sum(const Operators& ops, const Value& a, const Value& b) {
  const Value top = ops.largest_of({a, b});
  const auto part = [&](const Value& x) { return ops.exponential(ops.subtract(x, top)); };
  return ops.add(top, ops.logarithm(ops.add(part(a), part(b))));
}

/// g = log(1 + c) - log(Σ_i exp(S_ij + f_i) + s) with s = c N / Σ_j exp(g_j), of the g before.
Value slack_loop_in_logarithms(const Operators& ops, int iterations, const SlackOfHeads& slack,
                               const HeadColumns& columns, const LiveTokens& live) {
  const LogUpdates updates(ops, loop_scores(ops, columns, live), live);
  const Value log_mass = ops.add(slack.log_c, ops.logarithm(live.count));
  Value g = updates.with_mass(ops.multiply(as_column(ops, live.live), 0));
  for (int t = 0; t < iterations; ++t) {
    const Value s = ops.subtract(log_mass, log_sum_exp(ops, g, 2));
    const Value sums = log_of_sum(ops, updates.sums(updates.row(g)), s);
    g = updates.with_mass(ops.subtract(slack.log_capacity, sums));
  }
  return closed_plan_times(ops, updates.plan(g), live.live, columns);
}

Value loop_in_logarithms(const Operators& ops, int iterations, const HeadColumns& columns,
                         const LiveTokens& live) {
  const LogUpdates updates(ops, loop_scores(ops, columns, live), live);
  Value g = updates.no_column_dual();
  for (int t = 0; t < iterations; ++t) g = updates.column(updates.row(g));
  return closed_plan_times(ops, updates.plan(g), live.live, columns);
}

}  // namespace

Value loop_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                     const LiveTokens& live) {
  const int iterations = heads.front().iterations;
  const Value scores = loop_scores(ops, columns, live);
  const Value first = row_updates(ops, shifted_kernel(ops, scores), live.live, live).duals;
  const Value kernel = column_kernel(ops, scores, first, live);
  ColumnScaling scaling = column_scaling(ops, kernel, live.live, live, iterations);
  if (iterations == 1)  // the row sums are at least 1 / N
    return closed_plan_times(ops, kernel, scaling.v, columns);
  scaling.to_bound.push_back(scaling.v);
  return checked_plan_times(ops, kernel, scaling, columns, live,
                            [&] { return loop_in_logarithms(ops, iterations, columns, live); });
}

Value slack_loop_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                           const LiveTokens& live) {
  const Value kernel = shifted_kernel(ops, loop_scores(ops, columns, live)).entries;
  const SlackOfHeads slack = slack_of(ops, heads);
  const Value most = ops.multiply(live.live, ops.add(slack.c, 1));
  const Value slack_mass = ops.multiply(slack.c, live.count);
  const int iterations = heads.front().iterations;
  ColumnScaling scaling{live.live, {}};
  for (int t = 0; t < iterations; ++t) {
    const Value row_sums = live.positive(ops, ops.product(scaling.v, kernel));
    const Value u = ops.divide(live.live, row_sums);
    const Value s = ops.divide(slack_mass, live.positive(ops, ops.sum(scaling.v, 3)));
    const Value column_sums = as_row(ops, ops.product(kernel, as_column(ops, u)));
    scaling.v = ops.divide(most, live.positive(ops, ops.add(column_sums, s)));
    scaling.to_bound = {u, scaling.v};
  }
  return checked_plan_times(ops, kernel, scaling, columns, live, [&] {
    return slack_loop_in_logarithms(ops, iterations, slack, columns, live);
  });
}

Value log_domain_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                           const LiveTokens& live) {
  const Value scores = ops.product(ops.transpose_matrices(columns.keys), columns.queries);
  const std::optional<Value>& bias = live.bias;
  const std::optional<Value> key_bias = bias ? std::optional(as_column(ops, *bias)) : std::nullopt;
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

}  // namespace asap::onnx
