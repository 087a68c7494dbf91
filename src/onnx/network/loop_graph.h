#pragma once

#include "onnx/network/head_columns.h"

namespace asap::onnx {

/// Sinkhorn's loop of head.iterations iterations, at least one, as products of a Gibbs kernel with
/// vectors after two updates by exponentials; in logarithms where the scalings leave the range of
/// float. -> [B, H, D, N].
Value loop_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                     const LiveTokens& live);

/// The loop with slack (attention/README.md): v = (1 + c) / (Kᵀ u + s), s = c N / Σ_j v_j with the
/// v before.
Value slack_loop_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                           const LiveTokens& live);

/// The loop without slack, every update a log-sum-exp over [B, H, M, N] by the runtime's own
/// operator.
Value log_domain_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                           const LiveTokens& live);

}  // namespace asap::onnx
