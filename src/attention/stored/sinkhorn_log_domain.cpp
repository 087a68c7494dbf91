#include "attention/stored/sinkhorn_log_domain.h"

#include <algorithm>
#include <cmath>

#include "attention/stored/scaling_kernels.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"
#include "transport/slack.h"

namespace asap::attention {
namespace {

/// v without its padding.
template <class T>
tensor::VectorView<T> live(const SinkhornState<T>& state, int t) {
  return state.v(t).first(static_cast<std::size_t>(state.gibbs.cols));
}

template <class T>
transport::Slack<T> slack_of(const SinkhornState<T>& state) {
  return {state.slack};
}

/// The slack row's part in the adjoint of column update `iteration` with d/dg = weights, and in
/// that of its own update before it, which depends on the column dual before: `earlier` becomes
/// d/dg of that. Returns d/d log c. weights, earlier: [m].
template <class T>
T slack_update_vjp(const SinkhornState<T>& state, int iteration,
                   tensor::VectorView<const T> weights, tensor::VectorView<T> earlier) {
  const std::int64_t n = state.gibbs.rows, m = state.gibbs.cols;
  const T b = (T(1) + state.slack) * static_cast<T>(n) / static_cast<T>(m);
  const T mass = state.slack * static_cast<T>(n), dual = state.slack_scalings[iteration - 1];
  const tensor::VectorView<T> g = live(state, iteration), before = live(state, iteration - 1);
  T d_dual = T(0);
  for (std::int64_t j = 0; j < m; ++j) d_dual -= weights[j] * std::exp(dual + g[j]) / b;
  for (std::int64_t j = 0; j < m; ++j) earlier[j] = -d_dual * std::exp(dual + before[j]) / mass;
  return state.slack / (T(1) + state.slack) * tensor::sum<T>(weights) + d_dual;
}

/// Adds -weights_i P_ij to d_scores for every i, j and returns in `pulled` -sum_i weights_i P_ij
/// (the adjoint of a row update, P row-normalised).
template <class T>
void row_update_vjp(tensor::MatrixView<const T> plan, tensor::VectorView<const T> weights,
                    tensor::MatrixView<T> d_scores, tensor::VectorView<T> pulled) {
  for (std::int64_t i = 0; i < plan.rows; ++i) {
    tensor::axpy<T>(-weights[i], plan.row(i), d_scores.row(i));
    tensor::axpy<T>(-weights[i], plan.row(i), pulled);
  }
}

/// Adds -weights_j Q_ij / b to d_scores and returns in `pulled` -sum_j weights_j Q_ij / b (the
/// adjoint of a column update, columns of Q summing to b). Uses up `plan`.
template <class T>
void column_update_vjp(tensor::MatrixView<T> plan, T b, tensor::VectorView<const T> weights,
                       tensor::MatrixView<T> d_scores, tensor::VectorView<T> pulled) {
  for (std::int64_t i = 0; i < plan.rows; ++i) {
    tensor::multiply<T>(plan.row(i), weights, plan.row(i));
    tensor::axpy<T>(T(-1) / b, plan.row(i), d_scores.row(i));
    pulled[i] = -tensor::sum<T>(plan.row(i)) / b;
  }
}

}  // namespace

template <class T>
void log_domain_scores(const AttentionHead<T>& head, SinkhornState<T>& state,
                       tensor::Arena& scratch) {
  if (state.gibbs.data == nullptr)
    state.gibbs.data = scratch.take<T>(state.gibbs.rows * state.gibbs.stride);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, head.scale, head.queries,
                  head.keys, T(0), state.gibbs);
}

template <class T>
void sinkhorn_log_domain(const AttentionHead<T>& head, SinkhornState<T>& state,
                         tensor::MatrixView<T> output, tensor::Arena& scratch) {
  state.log_domain = true;
  const tensor::MatrixView<const T> scores = state.gibbs;
  for (T& value : live(state, 0)) value = T(0);
  transport::row_c_transform<T>(scores, live(state, 0), state.u(0));
  for (int t = 1; t <= state.iterations; ++t) {
    transport::column_c_transform<T>(scores, state.u(t - 1), live(state, t));
    if (state.slack > T(0)) {
      state.slack_scalings[t - 1] =
          transport::slack_dual<T>(slack_of(state), scores.rows, live(state, t - 1));
      transport::add_slack_to_columns<T>(slack_of(state), scores.rows, state.slack_scalings[t - 1],
                                         live(state, t));
    }
    transport::row_c_transform<T>(scores, live(state, t), state.u(t));
  }
  const tensor::ArenaScope scope(scratch);
  tensor::MatrixView<T> plan = scratch.matrix<T>(scores.rows, scores.cols);
  transport::plan_from_duals<T>(scores, state.u(state.iterations), live(state, state.iterations),
                                plan);
  state.column_error =
      static_cast<T>(transport::column_error<T>(plan, static_cast<double>(state.slack)));
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), plan, head.values, T(0),
                  output);
}

template <class T>
void sinkhorn_log_domain_vjp(const AttentionHead<T>& head, const SinkhornState<T>& forward,
                             tensor::MatrixView<const T> output,
                             tensor::MatrixView<const T> output_gradient,
                             const HeadGradients<T>& gradients, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  SinkhornState<T> state = forward;
  if (state.gibbs.data == nullptr) log_domain_scores(head, state, scratch);
  const T beta = gradients.accumulate ? T(1) : T(0);
  const std::int64_t n = state.gibbs.rows;
  const std::int64_t m = state.gibbs.cols;
  const T b = (T(1) + state.slack) * static_cast<T>(n) / static_cast<T>(m);
  T d_log_slack = T(0);
  tensor::MatrixView<T> plan = scratch.matrix<T>(n, m);
  tensor::MatrixView<T> d_scores = scratch.matrix<T>(n, m);
  tensor::VectorView<T> d_row_dual = scratch.vector<T>(n);
  tensor::VectorView<T> d_column_dual = scratch.vector<T>(m);
  const tensor::VectorView<T> d_earlier = scratch.vector<T>(m);  // of the column dual before
  for (T& value : d_earlier) value = T(0);

  transport::plan_from_duals<T>(state.gibbs, state.u(state.iterations),
                                live(state, state.iterations), plan);
  tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, T(1), plan, output_gradient, beta,
                  gradients.values);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), output_gradient, head.values,
                  T(0), d_scores);
  for (std::int64_t i = 0; i < n; ++i)
    tensor::multiply<T>(d_scores.row(i), plan.row(i), d_scores.row(i));
  tensor::column_sums<T>(d_scores, d_column_dual, false);
  tensor::row_dots<T>(output_gradient, output, d_row_dual);

  for (int t = state.iterations; t >= 1; --t) {
    row_update_vjp<T>(plan, d_row_dual, d_scores, d_column_dual);
    transport::plan_from_duals<T>(state.gibbs, state.u(t - 1), live(state, t), plan);
    column_update_vjp<T>(plan, b, d_column_dual, d_scores, d_row_dual);
    if (state.slack > T(0)) d_log_slack += slack_update_vjp<T>(state, t, d_column_dual, d_earlier);
    transport::plan_from_duals<T>(state.gibbs, state.u(t - 1), live(state, t - 1), plan);
    std::ranges::copy(d_earlier, d_column_dual.begin());
  }
  row_update_vjp<T>(plan, d_row_dual, d_scores, d_column_dual);
  if (state.slack > T(0) && gradients.learned.data != nullptr)
    gradients.learned(0, 0) += d_log_slack;

  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, head.scale, d_scores, head.keys,
                  beta, gradients.queries);
  tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, head.scale, d_scores, head.queries,
                  beta, gradients.keys);
}

template <class T>
void log_domain_sinkhorn_attention(const AttentionHead<T>& head, int iterations,
                                   tensor::MatrixView<T> output, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t n = head.queries.rows, m = head.keys.rows;
  if (n == 0 || m == 0) {
    for (std::int64_t i = 0; i < n; ++i)
      for (T& value : output.row(i)) value = T(0);
    return;
  }
  const std::int64_t stride = padded_columns<T>(m), factors = 2 * iterations + 1;
  SinkhornState<T> state;
  state.iterations = iterations;
  state.gibbs = {nullptr, n, m, stride};  // log_domain_scores takes the memory
  state.row_factors = scratch.matrix<T>(factors, n);
  state.column_factors = {scratch.take<T>(factors * stride), factors, m, stride};
  state.slack = head.slack;
  if (head.slack > T(0)) state.slack_scalings = scratch.vector<T>(iterations);
  log_domain_scores(head, state, scratch);
  sinkhorn_log_domain<T>(head, state, output, scratch);
}

#define ASAP_INSTANTIATE(T)                                                                       \
  template void log_domain_scores<T>(const AttentionHead<T>&, SinkhornState<T>&, tensor::Arena&); \
  template void sinkhorn_log_domain<T>(const AttentionHead<T>&, SinkhornState<T>&,                \
                                       tensor::MatrixView<T>, tensor::Arena&);                    \
  template void log_domain_sinkhorn_attention<T>(const AttentionHead<T>&, int,                    \
                                                 tensor::MatrixView<T>, tensor::Arena&);          \
  template void sinkhorn_log_domain_vjp<T>(                                                       \
      const AttentionHead<T>&, const SinkhornState<T>&, tensor::MatrixView<const T>,              \
      tensor::MatrixView<const T>, const HeadGradients<T>&, tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
