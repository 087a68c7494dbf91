#pragma once

#include "attention/transport/transport_gibbs.h"

namespace asap::attention {

/// The scaling vectors or duals of all updates, for the gradient. Everything lives in the arena
/// that transport() was given. n and m count the rows and columns that are not masked.
template <class T>
struct TransportState {
  int iterations = 0;
  bool log_domain = false;               ///< the exp domain could have lost plan entries
  TransportGibbs<T> gibbs;               ///< in the log domain its entries are S
  tensor::MatrixView<T> row_factors;     ///< [2 T + 2, n] u^T, u^0 .. u^(T-1), then w^0 .. w^T
  tensor::MatrixView<T> column_factors;  ///< [2 T + 1, m] w'^1 .. w'^T, then v^0 .. v^T

  /// u^t or, in the log domain, f^t: [n].
  tensor::VectorView<T> u(int t) const { return row_factors.row(t == iterations ? 0 : t + 1); }
  /// v^t or, in the log domain, g^t: [padded m].
  tensor::VectorView<T> v(int t) const {
    return {column_factors.row(iterations + t).data(),
            static_cast<std::size_t>(column_factors.stride)};
  }
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

/// Vector-Jacobian product of transport() and log_transport_plan() together. plan_gradient: with
/// respect to the log of the plan, [rows(), columns()].
template <class T>
void log_transport_plan_vjp(const TransportProblem<T>& problem, TransportState<T>& state,
                            tensor::MatrixView<const T> plan_gradient,
                            TransportGradients<T>& gradients, tensor::Arena& scratch);

}  // namespace asap::attention
