#pragma once

#include <functional>

#include "onnx/network/head_columns.h"

namespace asap::onnx {

/// Products with scalings below this, and sums above its inverse, lose nothing that counts of the
/// entries of a kernel that underflow: those are below 1.2e-38.
inline constexpr float kMostScaling = 1e15f;

/// exp(S - top) and top, the largest score of every query.
struct ShiftedKernel {
  Value entries;  // [B, H, M, N]
  Value top;      // [B, H, 1, N]
};

ShiftedKernel shifted_kernel(const Operators& ops, const Value& scores);

/// Row duals, and the sums whose logarithms they are.
struct RowUpdates {
  Value duals, sums;
};

/// -log Σ_j w_j exp(S_ij), one row for each row of weights: [.., R, M] -> [B, H, R, N].
RowUpdates row_updates(const Operators& ops, const ShiftedKernel& kernel, const Value& weights,
                       const LiveTokens& live);

/// A Gibbs kernel whose sums over queries are 1, exp(S_ij + f_i) / Σ_i exp(S_ij + f_i), a key per
/// row: [B, H, M, N]. It is what a column update of the row dual f leaves, and from it on
/// Sinkhorn's updates are products with vectors. scores: [B, H, M, N], row_dual: [B, H, 1, N].
Value column_kernel(const Operators& ops, const Value& scores, const Value& row_dual,
                    const LiveTokens& live);
/// That of the row dual 0.
Value column_kernel(const Operators& ops, const Value& scores, const LiveTokens& live);

/// A column scaling, and what shows whether all products on the way to it were in range: positive
/// values that must stay below kMostScaling, 0 or tiny for padding.
struct ColumnScaling {
  Value v;                      // [.., 1, M]
  std::vector<Value> to_bound;  // [B, H, .., N] each
};

/// v after `iterations` Sinkhorn iterations, the first of which made `kernel`; v_j is mass_j
/// without more. To bound is the last u = 1 / row sums, of which column sums are means: a scaling
/// that runs away keeps its direction, and one that has left the range of float does not come back.
/// mass: [.., 1, M].
ColumnScaling column_scaling(const Operators& ops, const Value& kernel, const Value& mass,
                             const LiveTokens& live, int iterations);

/// Whether the values, all together, are below kMostScaling: one bool.
Value are_in_range(const Operators& ops, const std::vector<Value>& to_bound);

/// Rows normalised, times the values: Σ_j K_ij v_j V_j / Σ_j K_ij v_j. kernel: [B, H, M, N], v:
/// [.., 1, M] -> [B, H, D, N].
Value closed_plan_times(const Operators& ops, const Value& kernel, const Value& v,
                        const HeadColumns& columns);

/// The same where everything to bound, with the last row sums, is in range; otherwise what
/// `in_logarithms` adds in its place.
Value checked_plan_times(const Operators& ops, const Value& kernel, const ColumnScaling& scaling,
                         const HeadColumns& columns, const LiveTokens& live,
                         const std::function<Value()>& in_logarithms);

}  // namespace asap::onnx
