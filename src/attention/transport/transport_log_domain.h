#pragma once

#include "attention/transport/transport_layer.h"

namespace asap::attention {

/// f_i = log a_i - log sum_j exp(S_ij + g_j), with S in gibbs.entries. column_dual: [m], row_dual:
/// [n].
template <class T>
void log_row_update(const TransportGibbs<T>& gibbs, tensor::VectorView<const T> column_dual,
                    tensor::VectorView<T> row_dual);

/// g_j = log b_j - log sum_i exp(S_ij + f_i).
template <class T>
void log_column_update(const TransportGibbs<T>& gibbs, tensor::VectorView<const T> row_dual,
                       tensor::VectorView<T> column_dual);

/// The iterations of transport() in the log domain: slower, finite for any finite scores. Expects S
/// in state.gibbs.entries; fills the factors with f^t and g^t.
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
