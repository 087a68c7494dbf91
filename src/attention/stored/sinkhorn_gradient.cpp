#include <algorithm>
#include <cmath>
#include <optional>

#include "attention/stored/column_updates.h"
#include "attention/stored/gibbs_rows.h"
#include "attention/stored/sinkhorn_attention.h"
#include "attention/stored/sinkhorn_log_domain.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

constexpr int kImplicitIterations = 200;
constexpr double kImplicitTolerance = 1e-7;
constexpr double kImplicitGrowth = 10;  // of the first step: from there on it will not converge

/// Vectors both gradients start from, in the coordinates of the shifted Gibbs kernel.
template <class T>
struct Adjoint {
  tensor::MatrixView<T> scaled_output_gradient;  // u ∘ dO: [n, Dv]
  tensor::MatrixView<T> scaled_values;           // v ∘ V: [m, Dv]
  tensor::VectorView<T> row;                     // D_i = dO_i . O_i = sum_j A_ij dA_ij: [n]
  tensor::VectorView<T> column;  // V_j . (Kᵀ (u ∘ dO))_j: gradient of v_j, [padded m]
};

template <class T>
Adjoint<T> begin(const AttentionHead<T>& head, const SinkhornState<T>& state,
                 const GibbsRows<T>& gibbs, tensor::MatrixView<const T> output,
                 tensor::MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
                 tensor::Arena& scratch) {
  const std::int64_t n = state.gibbs.rows;
  const std::int64_t m = state.gibbs.cols;
  const std::int64_t width = head.values.cols;
  const tensor::VectorView<T> v = state.v(state.iterations).first(static_cast<std::size_t>(m));
  Adjoint<T> a{scratch.matrix<T>(n, width), scratch.matrix<T>(m, width), scratch.vector<T>(n),
               scratch.vector<T>(state.gibbs.stride)};
  tensor::scale_rows_with_dots<T>(output_gradient, state.u(state.iterations), output,
                                  a.scaled_output_gradient, a.row);
  tensor::scale_rows<T>(head.values, v, a.scaled_values);

  tensor::MatrixView<T> pulled = scratch.matrix<T>(m, width);
  gibbs.transposed_times(a.scaled_output_gradient, pulled);
  std::fill(a.column.begin() + m, a.column.end(), T(0));
  const tensor::MatrixView<T> d_values = gradients.accumulate ? pulled : gradients.values;
  tensor::scale_rows_with_dots<T>(pulled, v, head.values, d_values, a.column);
  if (gradients.accumulate)
    for (std::int64_t j = 0; j < m; ++j)
      tensor::axpy<T>(T(1), pulled.row(j), gradients.values.row(j));
  return a;
}

/// w_T = -D ∘ u^T, and what the other w_t need: -(u^t)² of u^0..u^{T-1}, before w_0 takes the place
/// of u^T: [T, n].
template <class T>
tensor::MatrixView<T> begin_rows(SinkhornState<T>& state, const Adjoint<T>& adjoint,
                                 tensor::Arena& scratch) {
  const std::int64_t n = state.gibbs.rows;
  const tensor::MatrixView<T> factors = scratch.matrix<T>(state.iterations, n);
  const auto count = static_cast<std::size_t>(state.iterations * n);
  const tensor::VectorView<T> scalings(state.row_factors.data, count), squares(factors.data, count);
  tensor::scale<T>(T(-1), scalings, squares);
  tensor::multiply<T>(squares, scalings, squares);
  // With T = 0 it is u^T itself.
  const tensor::VectorView<T> first_w = state.row_factors.row(2 * state.iterations);
  tensor::multiply<T>(adjoint.row, state.u(state.iterations), first_w);
  tensor::scale<T>(T(-1), first_w, first_w);
  return factors;
}

/// Walks the iterations backwards, completing the stacks of the state: row_factors becomes
/// [u^0..u^{T-1} | w_0..w_T], column_factors [w'_1..w'_T | v^0..v^T].
template <class T>
void exact_factors(SinkhornState<T>& state, const GibbsRows<T>& gibbs, const Adjoint<T>& adjoint,
                   tensor::Arena& scratch) {
  const int iterations = state.iterations;
  const std::int64_t n = state.gibbs.rows;
  const T b = static_cast<T>(n) / static_cast<T>(state.gibbs.cols);
  const auto w = [&](int t) { return state.row_factors.row(iterations + t); };
  tensor::VectorView<T> pulled = scratch.vector<T>(state.gibbs.stride);
  const tensor::MatrixView<T> factors = begin_rows(state, adjoint, scratch);
  if (iterations > 0) gibbs.weighted_column_sum(w(iterations), pulled);
  for (int t = iterations; t >= 1; --t) {
    const tensor::VectorView<T> v = state.v(t);
    const tensor::VectorView<T> w_prime{state.column_factors.row(t - 1).data(), v.size()};
    adjoint_columns<T>(b, pulled, t == iterations ? adjoint.column : tensor::VectorView<T>(), v,
                       w_prime);
    gibbs.adjoint_sweep(w_prime, factors.row(t - 1), w(t - 1), pulled);
  }
}

/// exact_factors with slack: the slack row is one more row of K, whose scaling s^t = c n / sum_j
/// e_j v^t_j has the adjoint weight p_t = -(s^t)² (sum_j e_j w'_j) / (c n). Its scores are
/// constant, so it has no part in the stacks. Returns d/d log c.
template <class T>
T exact_slack_factors(SinkhornState<T>& state, const GibbsRows<T>& gibbs, const Adjoint<T>& adjoint,
                      tensor::Arena& scratch) {
  const int iterations = state.iterations;
  const auto n = static_cast<T>(state.gibbs.rows);
  const T b = (T(1) + state.slack) * n / static_cast<T>(state.gibbs.cols);
  const T mass = state.slack * n;
  const tensor::VectorView<T> pulled = scratch.vector<T>(state.gibbs.stride);
  const tensor::MatrixView<T> factors = begin_rows(state, adjoint, scratch);
  gibbs.weighted_column_sum(state.row_factors.row(2 * iterations), pulled);
  SlackRow<T> row{state.slack_entries};
  T columns = T(0), scalings = T(0);
  for (int t = iterations; t >= 1; --t) {
    const tensor::VectorView<T> v = state.v(t);
    const tensor::VectorView<T> w_prime{state.column_factors.row(t - 1).data(), v.size()};
    columns += adjoint_columns_with_slack<T>(
        b, row, pulled, t == iterations ? adjoint.column : tensor::VectorView<T>(), v, w_prime);
    const T gradient = tensor::dot<T>(row.entries, w_prime), s = state.slack_scalings[t - 1];
    scalings += gradient * s;
    row.scaling = -gradient * s * (s / mass);
    gibbs.adjoint_sweep(w_prime, factors.row(t - 1), state.row_factors.row(iterations + t - 1),
                        pulled);
  }
  return state.slack / (T(1) + state.slack) * columns + scalings;
}

/// X and Y (as rows) with dS = K ∘ ((u∘dO)(v∘V)ᵀ + Xᵀ Y).
template <class T>
struct FactorStacks {
  tensor::MatrixView<const T> rows;     // [k, n]
  tensor::MatrixView<const T> columns;  // [k, m]
};

/// The fixed point's gradient: solves α + Aβ = Γ1, Aᵀα + bβ = Γᵀ1 by Gauss-Seidel; dS = Γ - A ∘
/// (α_i + β_j). Nothing when that does not approach a solution: then the plan is far from the fixed
/// point, its columns far from b.
template <class T>
std::optional<FactorStacks<T>> implicit_factors(const SinkhornState<T>& state,
                                                const GibbsRows<T>& gibbs,
                                                const Adjoint<T>& adjoint, tensor::Arena& scratch) {
  const std::int64_t n = state.gibbs.rows;
  const std::int64_t m = state.gibbs.cols;
  const std::int64_t stride = state.gibbs.stride;
  const T b = static_cast<T>(n) / static_cast<T>(m);
  const tensor::VectorView<T> u = state.u(state.iterations);
  const tensor::VectorView<T> v = state.v(state.iterations);
  tensor::MatrixView<T> rows = scratch.matrix<T>(2, n);
  tensor::MatrixView<T> columns(scratch.take<T>(2 * stride), 2, m, stride);
  const tensor::VectorView<T> scaled_alpha = rows.row(0);
  const tensor::VectorView<T> scaled_beta{columns.row(1).data(), v.size()};  // -v ∘ β
  tensor::VectorView<T> factor = scratch.vector<T>(n);
  tensor::VectorView<T> constant = scratch.vector<T>(stride);
  tensor::VectorView<T> pulled = scratch.vector<T>(stride);
  tensor::VectorView<T> step = scratch.vector<T>(n);

  // K-coordinates: A = u_i K_ij v_j, so Aβ = u ∘ K(v∘β) and Aᵀα = v ∘ Kᵀ(u∘α).
  for (std::int64_t i = 0; i < n; ++i) {
    factor[i] = u[i] * u[i];
    scaled_alpha[i] = u[i] * adjoint.row[i];
    rows(1, i) = u[i];
  }
  gibbs.weighted_column_sum(scaled_alpha, constant);
  std::fill(pulled.begin(), pulled.end(), T(0));
  std::fill(scaled_beta.begin(), scaled_beta.end(), T(0));
  T first = T(0), change = T(0);
  for (int k = 0; k < kImplicitIterations; ++k) {
    T size = T(0);
    change = T(0);
    for (std::size_t j = 0; j < v.size(); ++j) {
      const T beta = v[j] * (adjoint.column[j] - constant[j] - pulled[j]) / b;
      change = std::max(change, std::abs(scaled_beta[j] + v[j] * beta));
      size = std::max(size, std::abs(v[j] * beta));
      scaled_beta[j] = -v[j] * beta;
    }
    gibbs.adjoint_sweep(scaled_beta, factor, step, pulled);  // step = -u ∘ Aβ
    if (k == 0) first = change;
    if (change <= T(kImplicitTolerance) * size) break;
    if (!(change <= T(kImplicitGrowth) * first)) return std::nullopt;
  }
  if (!(change <= first)) return std::nullopt;
  for (std::int64_t i = 0; i < n; ++i) scaled_alpha[i] += step[i];
  for (std::int64_t j = 0; j < m; ++j) columns(0, j) = -v[j];
  return FactorStacks<T>{rows, columns};
}

/// dS = K ∘ ((u∘dO)(v∘V)ᵀ + Xᵀ Y), then the gradients of queries and keys, block by block.
template <class T>
void finish(const AttentionHead<T>& head, const GibbsRows<T>& gibbs, const Adjoint<T>& adjoint,
            const FactorStacks<T>& stacks, const HeadGradients<T>& gradients,
            tensor::Arena& scratch) {
  const T beta = gradients.accumulate ? T(1) : T(0);
  gibbs.for_each_cached_block([&](std::int64_t first, tensor::MatrixView<const T> rows) {
    const tensor::ArenaScope scope(scratch);
    const auto own = [&](auto matrix) { return matrix.block(first, 0, rows.rows, matrix.cols); };
    const tensor::MatrixView<T> d_scores(scratch.take<T>(rows.rows * rows.stride), rows.rows,
                                         rows.cols, rows.stride);
    tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1),
                    own(adjoint.scaled_output_gradient), adjoint.scaled_values, T(0), d_scores,
                    head.precision);
    // Never rounded: what is left where these terms cancel is the gradient.
    tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, T(1),
                    stacks.rows.block(0, first, stacks.rows.rows, rows.rows), stacks.columns, T(1),
                    d_scores);
    for (std::int64_t i = 0; i < rows.rows; ++i)
      tensor::multiply<T>(d_scores.row(i), rows.row(i), d_scores.row(i));
    tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, head.scale, d_scores, head.keys,
                    beta, own(gradients.queries), head.precision);
    tensor::gemm<T>(tensor::Transpose::yes, tensor::Transpose::no, head.scale, d_scores,
                    own(head.queries), first == 0 ? beta : T(1), gradients.keys, head.precision);
  });
}

}  // namespace

template <class T>
void sinkhorn_attention_vjp(const AttentionHead<T>& head, SinkhornState<T>& state,
                            tensor::MatrixView<const T> output,
                            tensor::MatrixView<const T> output_gradient,
                            const HeadGradients<T>& gradients, tensor::Arena& scratch) {
  if (state.log_domain)
    return sinkhorn_log_domain_vjp<T>(head, state, output, output_gradient, gradients, scratch);
  const tensor::ArenaScope scope(scratch);
  GibbsRows<T> gibbs(head, state, scratch);
  gibbs.restore();
  const Adjoint<T> adjoint = begin(head, state, gibbs, output, output_gradient, gradients, scratch);
  if (state.slack > T(0)) {
    const T gradient = exact_slack_factors(state, gibbs, adjoint, scratch);
    if (gradients.learned.data != nullptr) gradients.learned(0, 0) += gradient;
  } else {
    exact_factors(state, gibbs, adjoint, scratch);
  }
  finish(head, gibbs, adjoint, FactorStacks<T>{state.row_factors, state.column_factors}, gradients,
         scratch);
}

template <class T>
void sinkhorn_attention_implicit_vjp(const AttentionHead<T>& head, SinkhornState<T>& state,
                                     tensor::MatrixView<const T> output,
                                     tensor::MatrixView<const T> output_gradient,
                                     const HeadGradients<T>& gradients, tensor::Arena& scratch) {
  base::check(state.slack == T(0), "sinkhorn_attention_implicit_vjp: a head with slack");
  if (state.log_domain)
    return sinkhorn_log_domain_vjp<T>(head, state, output, output_gradient, gradients, scratch);
  const tensor::ArenaScope scope(scratch);
  GibbsRows<T> gibbs(head, state, scratch);
  gibbs.restore();
  const Adjoint<T> adjoint = begin(head, state, gibbs, output, output_gradient, gradients, scratch);
  std::optional<FactorStacks<T>> stacks = implicit_factors(state, gibbs, adjoint, scratch);
  if (!stacks) {
    exact_factors(state, gibbs, adjoint, scratch);
    stacks = FactorStacks<T>{state.row_factors, state.column_factors};
  }
  finish(head, gibbs, adjoint, *stacks, gradients, scratch);
}

#define ASAP_INSTANTIATE(T)                                                    \
  template void sinkhorn_attention_vjp<T>(                                     \
      const AttentionHead<T>&, SinkhornState<T>&, tensor::MatrixView<const T>, \
      tensor::MatrixView<const T>, const HeadGradients<T>&, tensor::Arena&);   \
  template void sinkhorn_attention_implicit_vjp<T>(                            \
      const AttentionHead<T>&, SinkhornState<T>&, tensor::MatrixView<const T>, \
      tensor::MatrixView<const T>, const HeadGradients<T>&, tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
