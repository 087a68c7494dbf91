#pragma once

#include <memory>

#include "attention/interface/trainable_attention.h"
#include "c_api/packed_heads.h"

namespace asap::c_api {

/// Softmax attention, or doubly stochastic attention of this many iterations. UsageError when their
/// number is out of range.
template <class T>
std::unique_ptr<attention::TrainableAttention<T>> softmax_kind();
template <class T>
std::unique_ptr<attention::TrainableAttention<T>> sinkhorn_kind(int iterations);

/// The attention of all heads, on threads() threads. output: [examples, heads, N, Dv]; rows of
/// tokens that are not live are zero, as is the attention without live keys. Errors as PackedHeads.
template <class T>
void attend(const attention::TrainableAttention<T>& kind, const HeadArrays<T>& arrays,
            const HeadArray<T>& output);

/// Gradients by queries, keys and values, in their shapes.
template <class T>
struct HeadGradientArrays {
  HeadArray<T> queries, keys, values;
};

/// The exact gradients of a function of the output, given its gradient by the output: [examples,
/// heads, N, Dv].
template <class T>
void attend_backward(const attention::TrainableAttention<T>& kind, const HeadArrays<T>& arrays,
                     const HeadArray<const T>& output_gradient,
                     const HeadGradientArrays<T>& gradients);

}  // namespace asap::c_api
