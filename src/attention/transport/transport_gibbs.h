#pragma once

#include "attention/transport/transport_problem.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// The rows and columns of a problem that are not masked, n and m of them, dustbins included: their
/// scores S, then the Gibbs kernel K = exp(S + r + c), whose largest entry in every row and column
/// is between 1 / e and e. Rows are padded as in attention/stored/scaling_kernels.h.
template <class T>
struct TransportGibbs {
  tensor::MatrixView<T> entries;                             ///< [n, m]
  tensor::VectorView<T> row_shift, column_shift;             ///< r: [n], c: [padded m]
  tensor::VectorView<T> row_marginals, column_marginals;     ///< [n], [m]
  tensor::VectorView<std::int64_t> row_index, column_index;  ///< [n], [m] in the problem's numbers

  bool empty() const { return row_index.empty() || column_index.empty(); }
};

/// The largest scalings of one side and of the other, over all updates so far.
struct LargestScalings {
  double u = 0, v = 0;
};

/// Memory for the entries, and everything else but the shifts. InternalError when shapes do not
/// fit.
template <class T>
TransportGibbs<T> allocate_gibbs(const TransportProblem<T>& problem, tensor::Arena& arena);

/// The entries become S.
template <class T>
void load_scores(const TransportProblem<T>& problem, const TransportGibbs<T>& gibbs);

/// S becomes K. Also the scalings of the start g = 0, v: [padded m], and of its row update, u: [n].
/// scratch: [padded m].
template <class T>
void exponentiate_scores(const TransportGibbs<T>& gibbs, tensor::VectorView<T> v,
                         tensor::VectorView<T> u, tensor::VectorView<T> scratch);

/// v_j = b_j / column_sum_j; the padding becomes zero. v, column_sum: [padded m].
template <class T>
void weighted_column_update(const TransportGibbs<T>& gibbs, tensor::VectorView<const T> column_sum,
                            tensor::VectorView<T> v);

/// Whether the exp domain lost nothing that matters: no product of scalings so large that the
/// entries of K lost to underflow could have carried more than 1e-8 of a marginal, and none so
/// large that its square, which the gradient needs, is no normal number. u, v: the last scalings,
/// which must be finite (whatever follows a NaN is NaN).
template <class T>
bool trustworthy(const TransportGibbs<T>& gibbs, const LargestScalings& largest,
                 tensor::VectorView<const T> u, tensor::VectorView<const T> v);

/// Writes duals for all rows and columns of the problem, -infinity where masked: log u + r and
/// log v + c, or u and v themselves in the log domain. u: [n], v: [m] or more.
template <class T>
void write_duals(const TransportGibbs<T>& gibbs, bool log_domain, tensor::VectorView<const T> u,
                 tensor::VectorView<const T> v, const TransportDuals<T>& duals);

}  // namespace asap::attention
