#pragma once

#include "attention/transport/transport_layer.h"

namespace asap::attention {

/// The iterations of transport() in the log domain: slower, finite for any finite scores. Expects S
/// in state.gibbs; fills the factors with f^t and g^t.
template <class T>
void transport_in_log_domain(TransportState<T>& state);

/// Exact vector-Jacobian product of transport_in_log_domain: walks the iterations backwards and
/// rebuilds the plan of each half-update. d_rows: [n] and d_columns: [m] hold the gradients of f^T
/// and g^T and are used up; d_scores: [n, m] is written.
template <class T>
void transport_log_domain_vjp(const TransportState<T>& state, tensor::VectorView<T> d_rows,
                              tensor::VectorView<T> d_columns, tensor::MatrixView<T> d_scores,
                              tensor::Arena& scratch);

}  // namespace asap::attention
