#pragma once

#include "attention/compiled/column_guard.h"
#include "attention/compiled/compiled_features.h"
#include "attention/interface/head_gradients.h"

namespace asap::attention {

/// f̂ = f_k of DualMap, in the log domain. scores: x . y, [n, m]; row_dual: [n]. InternalError when
/// the number of weights does not fit.
template <class T>
void predicted_row_dual(const DualMap<T>& map, const CentredHead<T>& head,
                        tensor::MatrixView<const T> scores, tensor::VectorView<T> row_dual,
                        tensor::Arena& scratch);

/// Attention with a doubly stochastic plan whose row dual is predicted instead of iterated: f̂, then
/// one column and one row c-transform (the closure). With scores S = x . y:
///   g = col(f̂),  f = row(g),  A = exp(S + f + g),  output = A V.
/// Rows of the plan sum to 1 exactly, columns to N / M as closely as f̂ is exact; with slack, the
/// column update is column_update of open_plan.h. Every update is a
/// log-sum-exp: finite for any finite scores, and the reference of the tiled form.
///
/// extra_iterations: warm-started Sinkhorn iterations after the closure ("compiled+k").
/// output: [n, Dv], zero when there is no key. Returns the column error of the plan, mean_j |M/N
/// sum_i A_ij - 1|; 0 without queries or keys.
template <class T>
double compiled_attention(const DualMap<T>& map, const AttentionHead<T>& head, int extra_iterations,
                          tensor::MatrixView<T> output, tensor::Arena& scratch);

/// compiled_attention without extra iterations. Returns a bound of the column error of its plan:
/// the row error mean_i |sum_j A_ij - 1| of the plan before its last row update. That divides each
/// row by its sum, so it moves no more mass than the rows were off by, however that falls on
/// columns. 0 without queries or keys.
template <class T>
double bounded_compiled_attention(const DualMap<T>& map, const AttentionHead<T>& head,
                                  tensor::MatrixView<T> output, tensor::Arena& scratch);

/// compiled_attention without a fixed number of extra iterations: the column error of the closed
/// plan decides about them. InternalError for a head with slack, whose columns may sum to less.
template <class T>
ColumnCertificate guarded_compiled_attention(const DualMap<T>& map, const AttentionHead<T>& head,
                                             const ColumnGuard& guard, tensor::MatrixView<T> output,
                                             tensor::Arena& scratch);

}  // namespace asap::attention
