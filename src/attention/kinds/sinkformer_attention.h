#pragma once

#include "attention/stored/sinkhorn_attention.h"

namespace asap::attention {

/// Vector-Jacobian product of Sinkhorn attention with the column dual g taken as a constant, as
/// the published Sinkformer for text computes it (Sander et al. 2022; its code detaches each column
/// update): of what is left, A = softmax of each row of S + g, gradients flow through S only.
///
/// This is not the gradient of the function that sinkhorn_attention computes: that one is
/// sinkhorn_attention_vjp. A state may be used once; `state` is left as it is.
template <class T>
void sinkformer_attention_vjp(const AttentionHead<T>& head, const SinkhornState<T>& state,
                              tensor::MatrixView<const T> output_gradient,
                              const HeadGradients<T>& gradients, tensor::Arena& scratch);

}  // namespace asap::attention
