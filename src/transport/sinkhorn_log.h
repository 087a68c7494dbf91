#pragma once

#include "tensor/core/tensor.h"
#include "transport/slack.h"

namespace asap::transport {

/// Every dual that T iterations of Sinkhorn's algorithm visit. Row dual 0 is the start's row
/// update, row dual t follows column dual t - 1 (0-based), so the plan after t iterations is exp(S
/// + row_duals[t] + column_duals[t - 1]) and row_duals[t - 1] leads to it by one column and one
/// row c-transform.
template <class T>
struct SinkhornTrace {
  tensor::Tensor<T> row_duals;     // [T + 1, N]
  tensor::Tensor<T> column_duals;  // [T, M]
};

/// Sinkhorn's algorithm in the log domain: the reference against which faster forms are judged, and
/// the source of the duals that compilation fits. Row update first, then `iterations` times
/// (column, row).
///
/// scores: [N, M]; start: the column dual of the first row update, [M], empty = 0 (the teacher's
/// start); slack: its row is updated after every row update, from the same column dual.
/// InternalError for a negative number of iterations.
template <class T>
SinkhornTrace<T> sinkhorn_log(tensor::MatrixView<const T> scores, tensor::VectorView<const T> start,
                              int iterations, const Slack<T>& slack = {});

}  // namespace asap::transport
