#include "attention/transport/transport_log_domain.h"

#include <algorithm>
#include <cmath>

#include "tensor/kernels/elementwise.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"

namespace asap::attention {
namespace {

/// g^t without its padding.
template <class T>
tensor::VectorView<T> column_dual(const TransportState<T>& state, int t) {
  return state.v(t).first(state.gibbs.column_marginals.size());
}

/// d_scores -= weights_i P_ij and d_columns -= sum_i weights_i P_ij, weights = d_rows / a: the
/// adjoint of a row update, whose plan P has row sums a.
template <class T>
void row_update_vjp(const TransportState<T>& state, tensor::MatrixView<const T> plan,
                    tensor::VectorView<const T> d_rows, tensor::MatrixView<T> d_scores,
                    tensor::VectorView<T> d_columns) {
  for (std::int64_t i = 0; i < plan.rows; ++i) {
    const T weight = -d_rows[i] / state.gibbs.row_marginals[i];
    tensor::axpy<T>(weight, plan.row(i), d_scores.row(i));
    tensor::axpy<T>(weight, plan.row(i), d_columns);
  }
}

/// d_scores -= P_ij weights_j and d_rows = -sum_j P_ij weights_j: the adjoint of a column update,
/// whose plan P has column sums b. weights: d_columns / b, [m]. Uses up `plan`.
template <class T>
void column_update_vjp(tensor::MatrixView<T> plan, tensor::VectorView<const T> weights,
                       tensor::MatrixView<T> d_scores, tensor::VectorView<T> d_rows) {
  for (std::int64_t i = 0; i < plan.rows; ++i) {
    tensor::multiply<T>(plan.row(i), weights, plan.row(i));
    tensor::axpy<T>(T(-1), plan.row(i), d_scores.row(i));
    d_rows[i] = -tensor::sum<T>(plan.row(i));
  }
}

}  // namespace

template <class T>
void log_row_update(const TransportGibbs<T>& gibbs, tensor::VectorView<const T> column_dual,
                    tensor::VectorView<T> row_dual) {
  transport::row_c_transform<T>(gibbs.entries, column_dual, row_dual);
  for (std::size_t i = 0; i < row_dual.size(); ++i) row_dual[i] += std::log(gibbs.row_marginals[i]);
}

template <class T>
void log_column_update(const TransportGibbs<T>& gibbs, tensor::VectorView<const T> row_dual,
                       tensor::VectorView<T> column_dual) {
  transport::column_c_transform<T>(gibbs.entries, row_dual, column_dual);
  // The c-transform gives every column the mass n / m.
  const T uniform = static_cast<T>(gibbs.entries.rows) / static_cast<T>(gibbs.entries.cols);
  for (std::size_t j = 0; j < column_dual.size(); ++j)
    column_dual[j] += std::log(gibbs.column_marginals[j] / uniform);
}

template <class T>
void transport_in_log_domain(TransportState<T>& state) {
  state.log_domain = true;
  std::ranges::fill(state.v(0), T(0));
  log_row_update<T>(state.gibbs, column_dual(state, 0), state.u(0));
  for (int t = 1; t <= state.iterations; ++t) {
    log_column_update<T>(state.gibbs, state.u(t - 1), column_dual(state, t));
    log_row_update<T>(state.gibbs, column_dual(state, t), state.u(t));
  }
}

template <class T>
void transport_log_domain_vjp(const TransportState<T>& state, tensor::VectorView<T> d_rows,
                              tensor::VectorView<T> d_columns, tensor::MatrixView<T> d_scores,
                              tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const tensor::MatrixView<T> plan =
      scratch.matrix<T>(state.gibbs.entries.rows, state.gibbs.entries.cols);
  for (std::int64_t i = 0; i < d_scores.rows; ++i) std::ranges::fill(d_scores.row(i), T(0));
  for (int t = state.iterations; t >= 0; --t) {
    transport::plan_from_duals<T>(state.gibbs.entries, state.u(t), column_dual(state, t), plan);
    row_update_vjp<T>(state, plan, d_rows, d_scores, d_columns);
    if (t == 0) return;  // g^0 is constant
    transport::plan_from_duals<T>(state.gibbs.entries, state.u(t - 1), column_dual(state, t), plan);
    for (std::size_t j = 0; j < d_columns.size(); ++j)
      d_columns[j] /= state.gibbs.column_marginals[j];
    column_update_vjp<T>(plan, d_columns, d_scores, d_rows);
    std::ranges::fill(d_columns, T(0));
  }
}

#define ASAP_INSTANTIATE(T)                                                                  \
  template void log_row_update<T>(const TransportGibbs<T>&, tensor::VectorView<const T>,     \
                                  tensor::VectorView<T>);                                    \
  template void log_column_update<T>(const TransportGibbs<T>&, tensor::VectorView<const T>,  \
                                     tensor::VectorView<T>);                                 \
  template void transport_in_log_domain<T>(TransportState<T>&);                              \
  template void transport_log_domain_vjp<T>(const TransportState<T>&, tensor::VectorView<T>, \
                                            tensor::VectorView<T>, tensor::MatrixView<T>,    \
                                            tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
