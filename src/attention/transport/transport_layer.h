#pragma once

#include <optional>

#include "tensor/core/arena.h"

namespace asap::attention {

/// Transport between two weighted sets, perhaps with a dustbin for what has no partner: the output
/// layer of matching networks (Sarlin et al. 2020, "SuperGlue", section 3.2; without a dustbin
/// Cuturi 2013). For scores S and marginals a, b the plan is exp(S_ij + f_i + g_j) with
///
///   f_i = log a_i - log sum_j exp(S_ij + g_j)      row update
///   g_j = log b_j - log sum_i exp(S_ij + f_i)      column update
///
/// from g = 0: one row update, then T times (column, row). Rows sum to a exactly; columns sum to b
/// in the limit, if a and b have the same total.
///
/// A row or column of weight zero is masked: everything else is as if it were not there. T is float
/// or double.
template <class T>
struct TransportProblem {
  /// S without the dustbins, [N, M]; finite, except where masked.
  tensor::MatrixView<const T> scores;
  /// The score of the dustbin row and column that follow those of `scores`, if there are any.
  std::optional<T> bin = std::nullopt;
  tensor::VectorView<const T> row_marginals;     ///< a: [rows()], >= 0
  tensor::VectorView<const T> column_marginals;  ///< b: [columns()], >= 0

  std::int64_t rows() const { return scores.rows + (bin ? 1 : 0); }
  std::int64_t columns() const { return scores.cols + (bin ? 1 : 0); }
  /// S_ij, dustbins included.
  T score(std::int64_t i, std::int64_t j) const {
    return i < scores.rows && j < scores.cols ? scores(i, j) : *bin;
  }
};

/// The marginals of a problem with dustbins in which every point has mass 1 and a dustbin holds all
/// points of the other set: a = (1, .., 1, M), b = (1, .., 1, N). row_marginals: [N + 1],
/// column_marginals: [M + 1].
template <class T>
void dustbin_marginals(tensor::VectorView<T> row_marginals, tensor::VectorView<T> column_marginals);

/// The scaling vectors or duals of all updates, for the gradient. Everything lives in the arena
/// that transport() was given. n and m count the rows and columns that are not masked.
template <class T>
struct TransportState {
  int iterations = 0;
  bool log_domain = false;               ///< the exp domain could have lost plan entries
  tensor::MatrixView<T> gibbs;           ///< [n, m] K, in the log domain S; rows are padded
  tensor::MatrixView<T> row_factors;     ///< [2 T + 2, n] u^T, u^0 .. u^(T-1), then w^0 .. w^T
  tensor::MatrixView<T> column_factors;  ///< [2 T + 1, m] w'^1 .. w'^T, then v^0 .. v^T
  tensor::VectorView<T> row_shift, column_shift;             ///< [n], [padded m]
  tensor::VectorView<T> row_marginals, column_marginals;     ///< [n], [m]
  tensor::VectorView<std::int64_t> row_index, column_index;  ///< [n], [m] in the problem's numbers

  /// u^t or, in the log domain, f^t: [n].
  tensor::VectorView<T> u(int t) const { return row_factors.row(t == iterations ? 0 : t + 1); }
  /// v^t or, in the log domain, g^t: [padded m].
  tensor::VectorView<T> v(int t) const {
    return {column_factors.row(iterations + t).data(),
            static_cast<std::size_t>(column_factors.stride)};
  }
};

/// f and g, or their gradients. rows: [rows()], columns: [columns()].
template <class T>
struct TransportDuals {
  tensor::VectorView<T> rows;
  tensor::VectorView<T> columns;
};

/// Solves the problem with `iterations` T >= 0 and writes the duals, -infinity where masked. In the
/// exp domain, with the largest entry of every row and column of S taken out, one pass over K is an
/// iteration; if the scalings say that an entry lost to underflow could have carried more than 1e-8
/// of the smallest marginal, everything is computed again in the log domain, which is finite for
/// any finite scores. The choice depends on the values alone. `arena` keeps the state.
template <class T>
TransportState<T> transport(const TransportProblem<T>& problem, int iterations,
                            const TransportDuals<T>& duals, tensor::Arena& arena);

/// The gradient of scores, [N, M], and of the dustbin's score; both are added to.
template <class T>
struct TransportGradients {
  tensor::MatrixView<T> scores;
  double bin = 0;  ///< a sum over a row and a column that may cancel
};

/// Exact vector-Jacobian product of all iterations. `dual_gradients`: with respect to f and g; what
/// it says of masked rows and columns is ignored. In the exp domain one sweep over K per iteration
/// and one matrix product of inner width 2 T + 1: dS = -K ∘ (X Yᵀ). Uses up the state.
template <class T>
void transport_vjp(const TransportProblem<T>& problem, TransportState<T>& state,
                   const TransportDuals<const T>& dual_gradients, TransportGradients<T>& gradients,
                   tensor::Arena& scratch);

/// log of the plan, S_ij + f_i + g_j, -infinity where masked. out: [rows(), columns()].
template <class T>
void log_transport_plan(const TransportProblem<T>& problem, const TransportDuals<const T>& duals,
                        tensor::MatrixView<T> out);

/// Vector-Jacobian product of transport() and log_transport_plan() together. plan_gradient: with
/// respect to the log of the plan, [rows(), columns()].
template <class T>
void log_transport_plan_vjp(const TransportProblem<T>& problem, TransportState<T>& state,
                            tensor::MatrixView<const T> plan_gradient,
                            TransportGradients<T>& gradients, tensor::Arena& scratch);

}  // namespace asap::attention
