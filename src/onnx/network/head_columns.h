#pragma once

#include <span>
#include <string>

#include "attention/operators/compiled_operator.h"
#include "onnx/network/token_input.h"

namespace asap::onnx {

/// What replaces zero as a divisor or the argument of a logarithm: sums over padding alone.
inline constexpr float kTiny = 1e-37f;
/// Used instead of minus infinity, so that sums with scores stay finite.
inline constexpr float kMasked = -1e30f;

/// Queries, keys and values of all heads, a token per column: [B, H, D, N]. Queries and keys are
/// multiplied by √c, the root of the score scale. Where a plan is divided by its row sums, the
/// values have a row of ones below them, [B, H, D + 1, N], so that one product gives both.
struct HeadColumns {
  Value queries, keys, values;
  std::int64_t width;  // D
};

using LayerHeads = std::span<const attention::CompiledHead>;

/// [B, H, 1, N] <-> [B, H, N, 1], without a copy.
inline Value as_column(const Operators& ops, const Value& row) {
  return ops.reshape(row, {0, 0, -1, 1});
}
inline Value as_row(const Operators& ops, const Value& column) {
  return ops.reshape(column, {0, 0, 1, -1});
}

/// One number of every head: [1, H, 1, 1].
template <class Number>
Value per_head(const Operators& ops, const std::string& name, LayerHeads heads, Number number) {
  tensor::Tensor<float> out({1, std::ssize(heads), 1, 1});
  for (std::size_t h = 0; h < heads.size(); ++h)
    out[static_cast<std::int64_t>(h)] = number(heads[h]);
  return ops.graph().constant(name, out);
}

/// Tokens in centred coordinates, and what was taken away. Padding is zero.
struct CentredColumns {
  Value tokens;  // √c (q - q̄): [B, H, D, N]
  Value mean;    // √c q̄: [B, H, D, 1]
};

inline CentredColumns centred(const Operators& ops, const Value& columns, const LiveTokens& live) {
  const Value kept = live.is_live ? ops.multiply(columns, live.live) : columns;
  const Value mean = ops.divide(ops.sum(kept, 3), live.count);
  const Value difference = ops.subtract(columns, mean);
  return {live.is_live ? ops.multiply(difference, live.live) : difference, mean};
}

/// A Gibbs kernel whose sums over queries are 1, exp(S_ij + f_i) / Σ_i exp(S_ij + f_i), a key per
/// row: [B, H, M, N]. It is what a column update of the row dual f leaves, and from it on
/// Sinkhorn's updates are products with vectors near 1, which cannot overflow: the sums over keys
/// of a row that was updated once are at least 1 / N. scores: [B, H, M, N], row_dual: [B, H, 1, N].
inline Value column_kernel(const Operators& ops, const Value& scores, const Value& row_dual,
                           const LiveTokens& live) {
  return ops.softmax(ops.add(scores, live.masked(ops, row_dual, kMasked)), 3);
}

/// The column scaling v after `iterations` Sinkhorn iterations, the first of which made `kernel`;
/// v_j is mass_j without more. mass: [.., 1, M] -> v: the same.
inline Value column_scaling(const Operators& ops, const Value& kernel, const Value& mass,
                            int iterations) {
  Value v = mass;
  for (int t = 1; t < iterations; ++t) {
    const Value row_sums = ops.at_least(ops.product(v, kernel), kTiny);
    const Value u = ops.divide(ops.graph().scalar(1), row_sums);
    v = ops.divide(mass, as_row(ops, ops.product(kernel, as_column(ops, u))));
  }
  return v;
}

/// Rows normalised, times the values: Σ_j K_ij v_j V_j / Σ_j K_ij v_j. kernel: [B, H, M, N], v:
/// [.., 1, M] -> [B, H, D, N].
inline Value closed_plan_times(const Operators& ops, const Value& kernel, const Value& v,
                               const HeadColumns& columns) {
  const Value sums = ops.product(ops.multiply(columns.values, v), kernel);
  const std::vector<Value> parts = ops.graph().node_with_outputs(
      2, "Split", {sums, ops.graph().integers({columns.width, 1})}, {{"axis", std::int64_t{2}}});
  return ops.divide(parts[0], ops.at_least(parts[1], kTiny));
}

}  // namespace asap::onnx
