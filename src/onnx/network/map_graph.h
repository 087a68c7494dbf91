#pragma once

#include "onnx/network/head_columns.h"

namespace asap::onnx {

/// The plan of a predicted row dual, times the values: of a dual map, with its corrected
/// iterations, or of f̂ = 0. In products with a Gibbs kernel; in logarithms where a row or column
/// sum leaves the range of float. -> [B, H, D, N].
Value map_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                    const LiveTokens& live);

/// The bias of every key that a map of mode key_bias predicts, for centred queries x and keys y:
/// [B, H, 1, M].
Value predicted_key_bias(const Operators& ops, LayerHeads heads, const CentredColumns& x,
                         const CentredColumns& y, const LiveTokens& live);

}  // namespace asap::onnx
