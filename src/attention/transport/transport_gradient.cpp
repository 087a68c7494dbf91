#include <algorithm>

#include "attention/stored/scaling_kernels.h"
#include "attention/transport/transport_layer.h"
#include "attention/transport/transport_log_domain.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"

namespace asap::attention {
namespace {

/// Rows of dS that are computed at once and added to the gradient while they are in cache.
constexpr std::int64_t kBlockRows = 32;

/// Fills the stacks with w^t and w'^t, after which dS = -K ∘ (Xᵀ Y) with X the rows of row_factors
/// from the second on and Y = column_factors. d_rows: [n], d_columns: [m], of f^T and g^T.
template <class T>
void fill_factors(TransportState<T>& state, tensor::VectorView<const T> d_rows,
                  tensor::VectorView<const T> d_columns, tensor::Arena& scratch) {
  const int iterations = state.iterations;
  const auto w = [&](int t) { return state.row_factors.row(iterations + 1 + t); };
  const tensor::VectorView<T> pulled = scratch.vector<T>(state.gibbs.entries.stride);
  const tensor::VectorView<T> factor = scratch.vector<T>(state.gibbs.entries.rows);
  const tensor::VectorView<T> last = state.u(iterations);
  for (std::size_t i = 0; i < last.size(); ++i)
    w(iterations)[i] = d_rows[i] * (last[i] / state.gibbs.row_marginals[i]);
  if (iterations == 0) return;
  weighted_column_sum<T>(state.gibbs.entries, w(iterations), pulled);
  for (int t = iterations; t >= 1; --t) {
    const tensor::VectorView<T> v = state.v(t), u = state.u(t - 1);
    const tensor::VectorView<T> w_prime{state.column_factors.row(t - 1).data(), v.size()};
    for (std::size_t j = 0; j < d_columns.size(); ++j) {
      const T direct = t == iterations ? d_columns[j] : T(0);
      w_prime[j] = (direct - v[j] * pulled[j]) * (v[j] / state.gibbs.column_marginals[j]);
    }
    std::fill(w_prime.begin() + std::ssize(d_columns), w_prime.end(), T(0));
    for (std::size_t i = 0; i < u.size(); ++i)
      factor[i] = -u[i] * (u[i] / state.gibbs.row_marginals[i]);
    adjoint_sweep<T>(state.gibbs.entries, w_prime, factor, w(t - 1), pulled);
  }
}

/// Adds rows `first` and following of the gradient of live scores to where they belong.
template <class T>
void scatter(const TransportProblem<T>& problem, const TransportState<T>& state, std::int64_t first,
             tensor::MatrixView<const T> rows, TransportGradients<T>& gradients) {
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    const std::int64_t i = state.gibbs.row_index[first + r];
    for (std::int64_t k = 0; k < rows.cols; ++k) {
      const std::int64_t j = state.gibbs.column_index[k];
      if (i < problem.scores.rows && j < problem.scores.cols)
        gradients.scores(i, j) += rows(r, k);
      else
        gradients.bin += static_cast<double>(rows(r, k));
    }
  }
}

template <class T>
void add_exp_domain_gradient(const TransportProblem<T>& problem, const TransportState<T>& state,
                             TransportGradients<T>& gradients, tensor::Arena& scratch) {
  const std::int64_t n = state.gibbs.entries.rows, m = state.gibbs.entries.cols,
                     factors = state.column_factors.rows;
  const tensor::MatrixView<T> d_scores = scratch.matrix<T>(std::min(n, kBlockRows), m);
  for (std::int64_t first = 0; first < n; first += kBlockRows) {
    const std::int64_t count = std::min(kBlockRows, n - first);
    const tensor::MatrixView<T> block = d_scores.block(0, 0, count, m);
    tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, T(-1),
                    state.row_factors.block(1, first, factors, count), state.column_factors, T(0),
                    block);
    for (std::int64_t r = 0; r < count; ++r)
      tensor::multiply<T>(block.row(r), state.gibbs.entries.row(first + r), block.row(r));
    scatter<T>(problem, state, first, block, gradients);
  }
}

}  // namespace

template <class T>
void transport_vjp(const TransportProblem<T>& problem, TransportState<T>& state,
                   const TransportDuals<const T>& dual_gradients, TransportGradients<T>& gradients,
                   tensor::Arena& scratch) {
  const std::int64_t n = state.gibbs.entries.rows, m = state.gibbs.entries.cols;
  if (n == 0 || m == 0) return;
  const tensor::ArenaScope scope(scratch);
  const tensor::VectorView<T> d_rows = scratch.vector<T>(n), d_columns = scratch.vector<T>(m);
  for (std::int64_t i = 0; i < n; ++i) d_rows[i] = dual_gradients.rows[state.gibbs.row_index[i]];
  for (std::int64_t j = 0; j < m; ++j)
    d_columns[j] = dual_gradients.columns[state.gibbs.column_index[j]];
  if (state.log_domain) {
    const tensor::MatrixView<T> d_scores = scratch.matrix<T>(n, m);
    transport_log_domain_vjp<T>(state, d_rows, d_columns, d_scores, scratch);
    scatter<T>(problem, state, 0, d_scores, gradients);
  } else {
    fill_factors<T>(state, d_rows, d_columns, scratch);
    add_exp_domain_gradient<T>(problem, state, gradients, scratch);
  }
}

template <class T>
void log_transport_plan_vjp(const TransportProblem<T>& problem, TransportState<T>& state,
                            tensor::MatrixView<const T> plan_gradient,
                            TransportGradients<T>& gradients, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const tensor::VectorView<T> rows = scratch.vector<T>(problem.rows());
  const tensor::VectorView<T> columns = scratch.vector<T>(problem.columns());
  std::ranges::fill(rows, T(0));
  std::ranges::fill(columns, T(0));
  for (const std::int64_t i : state.gibbs.row_index)
    for (const std::int64_t j : state.gibbs.column_index) {
      const T gradient = plan_gradient(i, j);
      rows[i] += gradient;
      columns[j] += gradient;
      if (i < problem.scores.rows && j < problem.scores.cols)
        gradients.scores(i, j) += gradient;
      else
        gradients.bin += static_cast<double>(gradient);
    }
  transport_vjp<T>(problem, state, {rows, columns}, gradients, scratch);
}

#define ASAP_INSTANTIATE(T)                                                                    \
  template void transport_vjp<T>(const TransportProblem<T>&, TransportState<T>&,               \
                                 const TransportDuals<const T>&, TransportGradients<T>&,       \
                                 tensor::Arena&);                                              \
  template void log_transport_plan_vjp<T>(const TransportProblem<T>&, TransportState<T>&,      \
                                          tensor::MatrixView<const T>, TransportGradients<T>&, \
                                          tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
