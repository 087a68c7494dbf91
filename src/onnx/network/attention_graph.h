#pragma once

#include "onnx/network/head_columns.h"

namespace asap::onnx {

/// How Sinkhorn's loop is written.
enum class LoopForm {
  scaling,     ///< products of a Gibbs kernel with vectors, after two updates by softmax
  log_domain,  ///< every update a log-sum-exp over all scores, as published
};

/// Whether the values of such a layer need a row of ones: see HeadColumns.
bool divides_by_row_sums(LayerHeads heads);

/// Adds the attention of one layer, whose heads are computed alike: a dual map, a key bias, or the
/// loop of head.iterations iterations, which without any is softmax. -> [B, H, D, N].
/// attention/README.md has the formulas; queries and keys are the same tokens here.
Value add_attention(const Operators& ops, LayerHeads heads, const HeadColumns& columns,
                    const LiveTokens& live, LoopForm form);

/// UsageError, which names the layer, when add_attention cannot write a layer of such heads:
/// slack with a dual map or in the log domain.
void require_exportable(LayerHeads heads, int layer, LoopForm form);

}  // namespace asap::onnx
