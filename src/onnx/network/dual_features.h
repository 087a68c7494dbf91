#pragma once

#include <optional>

#include "onnx/network/head_columns.h"

namespace asap::onnx {

/// What a dual map reads.
struct MapInput {
  CentredColumns x, y;  // with a key bias, x are the keys
  const LiveTokens& live;
  std::optional<Value> score_rows;  // of `lse` and `lse0`: [B, H, 1 or 2, N]
};

/// The features of a dual map (attention/compiled/compiled_features.h) for the tokens of x, each
/// right up to a constant, which duals may have. -> [B, H, P, N], in the order of the weights.
Value dual_features(const Operators& ops, LayerHeads heads, const MapInput& input);

/// y_j . √c q̄, the dual from which the teacher starts on centred keys: [B, H, 1, M].
Value start_dual(const Operators& ops, const CentredColumns& x, const CentredColumns& y);

}  // namespace asap::onnx
