#pragma once

#include "autodiff/tape.h"
#include "tensor/kernels/row_ops.h"

namespace asap::autodiff {

/// Layer norm over the last dimension. gain, offset: [cols].
template <class T>
Var<T> layer_norm(Var<T> x, Var<T> gain, Var<T> offset, double epsilon = tensor::kLayerNormEpsilon);

/// Softmax over the last dimension.
template <class T>
Var<T> softmax_rows(Var<T> x);

/// log sum exp over the last dimension: [..., n] -> [..., 1].
template <class T>
Var<T> log_sum_exp_rows(Var<T> x);

/// Sum over rows of -log softmax(logits)[label], each target smoothed towards uniform by
/// `label_smoothing` in [0, 1), divided by `divisor` (the size of the whole batch, of which these
/// rows may be a shard). Rows whose label is negative do not count. logits: [rows, classes],
/// labels: [rows] -> scalar. Labels must outlive the pass.
template <class T>
Var<T> cross_entropy(Var<T> logits, std::span<const std::int32_t> labels, T label_smoothing,
                     T divisor);

}  // namespace asap::autodiff
