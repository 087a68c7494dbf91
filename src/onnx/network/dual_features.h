#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "onnx/network/head_columns.h"

namespace asap::onnx {

/// What a dual map reads.
struct MapInput {
  CentredColumns x, y;  // with a key bias, x are the keys
  const LiveTokens& live;
};

/// A landmark dual by products with a Gibbs kernel, [B, H, 1, N], right where what is to bound is
/// in range (scaling_updates.h), and the same in logarithms.
struct LandmarkDual {
  Value dual;
  std::vector<Value> to_bound;  // none where it is always right
  std::function<Value()> in_logarithms;
};

/// Features in the order of the weights, [B, H, .., N] each: those before `lse` and `lse0`, which
/// read scores, and the one after.
struct DualFeatureRows {
  std::vector<Value> before_scores;
  std::optional<LandmarkDual> landmarks;
};

/// The features of a dual map (attention/compiled/compiled_features.h) but `lse` and `lse0` for the
/// tokens of x, each right up to a constant, which duals may have.
DualFeatureRows dual_features(const Operators& ops, LayerHeads heads, const MapInput& input);

/// y_j . √c q̄, the dual from which the teacher starts on centred keys: [B, H, 1, M].
Value start_dual(const Operators& ops, const CentredColumns& x, const CentredColumns& y);

}  // namespace asap::onnx
