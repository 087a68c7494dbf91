#include "attention/stored/sinkhorn_log_domain.h"

#include <cmath>

#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"

namespace asap {
namespace {

/// v without its padding.
template <class T>
VectorView<T> live(const SinkhornState<T>& state, int t) {
  return state.v(t).first(static_cast<std::size_t>(state.kernel.cols));
}

/// Adds -weights_i P_ij to d_scores for every i, j and returns in `pulled` -sum_i weights_i P_ij (the
/// adjoint of a row update, P row-normalised).
template <class T>
void row_update_vjp(MatrixView<const T> plan, VectorView<const T> weights, MatrixView<T> d_scores,
                    VectorView<T> pulled) {
  for (std::int64_t i = 0; i < plan.rows; ++i) {
    axpy<T>(-weights[i], plan.row(i), d_scores.row(i));
    axpy<T>(-weights[i], plan.row(i), pulled);
  }
}

/// Adds -weights_j Q_ij / b to d_scores and returns in `pulled` -sum_j weights_j Q_ij / b (the adjoint of
/// a column update, columns of Q summing to b). Uses up `plan`.
template <class T>
void column_update_vjp(MatrixView<T> plan, T b, VectorView<const T> weights, MatrixView<T> d_scores,
                       VectorView<T> pulled) {
  for (std::int64_t i = 0; i < plan.rows; ++i) {
    multiply<T>(plan.row(i), weights, plan.row(i));
    axpy<T>(T(-1) / b, plan.row(i), d_scores.row(i));
    pulled[i] = -sum<T>(plan.row(i)) / b;
  }
}

}  // namespace

template <class T>
void sinkhorn_log_domain(const AttentionHead<T>& head, SinkhornState<T>& state,
                         MatrixView<T> output, Arena& scratch) {
  state.log_domain = true;
  const MatrixView<const T> scores = state.kernel;
  for (T& value : live(state, 0)) value = T(0);
  row_c_transform<T>(scores, live(state, 0), state.u(0));
  for (int t = 1; t <= state.iterations; ++t) {
    column_c_transform<T>(scores, state.u(t - 1), live(state, t));
    row_c_transform<T>(scores, live(state, t), state.u(t));
  }
  const ArenaScope scope(scratch);
  MatrixView<T> plan = scratch.matrix<T>(scores.rows, scores.cols);
  plan_from_duals<T>(scores, state.u(state.iterations), live(state, state.iterations), plan);
  state.column_error = static_cast<T>(marginal_errors<T>(plan).column_mean);
  gemm<T>(Transpose::no, Transpose::no, T(1), plan, head.values, T(0), output);
}

template <class T>
void sinkhorn_log_domain_vjp(const AttentionHead<T>& head, const SinkhornState<T>& state,
                             MatrixView<const T> output, MatrixView<const T> output_gradient,
                             const HeadGradients<T>& gradients, Arena& scratch) {
  const ArenaScope scope(scratch);
  const T beta = gradients.accumulate ? T(1) : T(0);
  const std::int64_t n = state.kernel.rows;
  const std::int64_t m = state.kernel.cols;
  const T b = static_cast<T>(n) / static_cast<T>(m);
  MatrixView<T> plan = scratch.matrix<T>(n, m);
  MatrixView<T> d_scores = scratch.matrix<T>(n, m);
  VectorView<T> d_row_dual = scratch.vector<T>(n);
  VectorView<T> d_column_dual = scratch.vector<T>(m);

  plan_from_duals<T>(state.kernel, state.u(state.iterations), live(state, state.iterations), plan);
  gemm<T>(Transpose::yes, Transpose::no, T(1), plan, output_gradient, beta, gradients.values);
  gemm<T>(Transpose::no, Transpose::yes, T(1), output_gradient, head.values, T(0), d_scores);
  for (std::int64_t i = 0; i < n; ++i)
    multiply<T>(d_scores.row(i), plan.row(i), d_scores.row(i));
  column_sums<T>(d_scores, d_column_dual, false);
  row_dots<T>(output_gradient, output, d_row_dual);

  for (int t = state.iterations; t >= 1; --t) {
    row_update_vjp<T>(plan, d_row_dual, d_scores, d_column_dual);
    plan_from_duals<T>(state.kernel, state.u(t - 1), live(state, t), plan);
    column_update_vjp<T>(plan, b, d_column_dual, d_scores, d_row_dual);
    plan_from_duals<T>(state.kernel, state.u(t - 1), live(state, t - 1), plan);
    for (T& value : d_column_dual) value = T(0);
  }
  row_update_vjp<T>(plan, d_row_dual, d_scores, d_column_dual);

  gemm<T>(Transpose::no, Transpose::no, head.scale, d_scores, head.keys, beta, gradients.queries);
  gemm<T>(Transpose::yes, Transpose::no, head.scale, d_scores, head.queries, beta, gradients.keys);
}

#define ASAP_INSTANTIATE(T)                                                                       \
  template void sinkhorn_log_domain<T>(const AttentionHead<T>&, SinkhornState<T>&, MatrixView<T>, \
                                       Arena&);                                                   \
  template void sinkhorn_log_domain_vjp<T>(const AttentionHead<T>&, const SinkhornState<T>&,      \
                                           MatrixView<const T>, MatrixView<const T>,              \
                                           const HeadGradients<T>&, Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap
