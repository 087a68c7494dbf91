#include "onnx/network/scaling_updates.h"

namespace asap::onnx {
namespace {

/// Σ_j K_ij v_j V_j, [B, H, D, N], and Σ_j K_ij v_j, [B, H, 1, N].
std::vector<Value> open_plan_times(const Operators& ops, const Value& kernel, const Value& v,
                                   const HeadColumns& columns) {
  const Value sums = ops.product(ops.multiply(columns.values, v), kernel);
  return ops.graph().node_with_outputs(2, "Split", {sums, ops.graph().integers({columns.width, 1})},
                                       {{"axis", std::int64_t{2}}});
}

}  // namespace

ShiftedKernel shifted_kernel(const Operators& ops, const Value& scores) {
  const Value top = ops.maximum(scores, 2);
  return {ops.exponential(ops.subtract(scores, top)), top};
}

RowUpdates row_updates(const Operators& ops, const ShiftedKernel& kernel, const Value& weights,
                       const LiveTokens& live) {
  const Value sums = live.positive(ops, ops.product(weights, kernel.entries));
  return {ops.negative(ops.add(kernel.top, ops.logarithm(sums))), sums};
}

Value column_kernel(const Operators& ops, const Value& scores, const Value& row_dual,
                    const LiveTokens& live) {
  return ops.softmax(ops.add(scores, live.masked(ops, row_dual, kMasked)), 3);
}

Value column_kernel(const Operators& ops, const Value& scores, const LiveTokens& live) {
  return ops.softmax(live.bias ? ops.add(scores, *live.bias) : scores, 3);
}

ColumnScaling column_scaling(const Operators& ops, const Value& kernel, const Value& mass,
                             const LiveTokens& live, int iterations) {
  ColumnScaling scaling{mass, {}};
  for (int t = 1; t < iterations; ++t) {
    const Value row_sums = live.positive(ops, ops.product(scaling.v, kernel));
    const Value u = ops.divide(live.live, row_sums);
    scaling.v = ops.divide(mass, as_row(ops, ops.product(kernel, as_column(ops, u))));
    scaling.to_bound = {u};
  }
  return scaling;
}

Value are_in_range(const Operators& ops, const std::vector<Value>& to_bound) {
  return ops.sums_to_less_than(ops.concatenate(to_bound, 2), kMostScaling);
}

Value closed_plan_times(const Operators& ops, const Value& kernel, const Value& v,
                        const HeadColumns& columns) {
  const std::vector<Value> parts = open_plan_times(ops, kernel, v, columns);
  return ops.divide(parts[0], ops.at_least(parts[1], kTiny));
}

Value checked_plan_times(const Operators& ops, const Value& kernel, const ColumnScaling& scaling,
                         const HeadColumns& columns, const LiveTokens& live,
                         const std::function<Value()>& in_logarithms) {
  const std::vector<Value> parts = open_plan_times(ops, kernel, scaling.v, columns);
  const Value u = ops.divide(live.live, live.positive(ops, parts[1]));
  std::vector<Value> to_bound = scaling.to_bound;
  to_bound.push_back(u);
  return ops.graph().choose(
      are_in_range(ops, to_bound), [&] { return ops.multiply(parts[0], u); }, in_logarithms);
}

}  // namespace asap::onnx
