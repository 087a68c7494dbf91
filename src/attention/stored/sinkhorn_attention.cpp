#include "attention/stored/sinkhorn_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention/stored/column_updates.h"
#include "attention/stored/gibbs_rows.h"
#include "attention/stored/scaling_kernels.h"
#include "attention/stored/sinkhorn_log_domain.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

/// Entries of K below the smallest normal number may be lost; times the largest scalings they would
/// add at most this much to the plan.
constexpr double kLostPlanEntry = 1e-8;

// Beyond this, the Gibbs kernels of a network's heads come back from main memory, which takes as
// long as computing them again.
constexpr std::int64_t kMostKeptBytes = std::int64_t{768} << 10;
constexpr std::int64_t kMostReleasedBytes = std::int64_t{64} << 20;

template <class T>
SinkhornState<T> allocate_state(std::int64_t n, std::int64_t m, int iterations,
                                GibbsLifetime lifetime, tensor::Arena& arena) {
  const std::int64_t stride = padded_columns<T>(m);
  const std::int64_t factors = 2 * iterations + 1;
  SinkhornState<T> state;
  state.iterations = iterations;
  state.lifetime = lifetime;
  state.gibbs = {nullptr, n, m, stride};
  if (lifetime == GibbsLifetime::kept) state.gibbs.data = arena.take<T>(n * stride);
  state.row_factors = arena.matrix<T>(factors, n);
  state.column_factors = {arena.take<T>(factors * stride), factors, m, stride};
  state.row_shift = arena.vector<T>(n);
  state.column_shift = arena.vector<T>(stride);
  return state;
}

/// Whether the exp domain lost nothing that matters: all scalings finite, no product of scalings so
/// large that an underflowed entry of K could have carried mass, and none so large or small that
/// its square, which the backward pass needs, is no normal number. (Entries of K are at most 1, so
/// that no scaling is below 1 / m of the inverse of the largest one of the other kind.)
template <class T>
bool trustworthy(const SinkhornState<T>& state) {
  const int count = state.iterations + 1;
  // One reduction per stack: the scalings of all iterations lie one after the other.
  const auto u = static_cast<double>(tensor::maximum<T>(tensor::VectorView<const T>(
      state.u(0).data(), static_cast<std::size_t>(count * state.row_factors.stride))));
  const auto v = static_cast<double>(tensor::maximum<T>(tensor::VectorView<const T>(
      state.v(0).data(), static_cast<std::size_t>(count * state.column_factors.stride))));
  const auto smallest = static_cast<double>(std::numeric_limits<T>::min());
  const auto longest = static_cast<double>(std::max(state.gibbs.rows, state.gibbs.cols));
  return std::isfinite(state.column_error) &&  // the maxima above may pass over NaN
         u * v <= kLostPlanEntry / smallest &&
         std::max(u, v) <= 1 / (std::sqrt(smallest) * longest);
}

/// Rows or columns that lost all their entries of K to underflow: their scalings are not finite.
/// Those of the first update that has any, since what follows it is not finite throughout.
template <class T>
std::int64_t count_underflows(const SinkhornState<T>& state) {
  const auto count = [&](tensor::VectorView<const T> scalings, std::int64_t size) {
    return std::ranges::count_if(scalings.first(static_cast<std::size_t>(size)),
                                 [](T value) { return !std::isfinite(value); });
  };
  for (int t = 0; t <= state.iterations; ++t) {
    if (const auto columns = count(state.v(t), state.gibbs.cols); columns > 0) return columns;
    if (const auto rows = count(state.u(t), state.gibbs.rows); rows > 0) return rows;
  }
  return 0;
}

/// Returns false, with an undefined output, when the exp domain lost too much.
template <class T>
bool attend_in_exp_domain(const AttentionHead<T>& head, SinkhornState<T>& state,
                          tensor::MatrixView<T> output, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const int iterations = state.iterations;
  const std::int64_t m = state.gibbs.cols;
  const T b = static_cast<T>(state.gibbs.rows) / static_cast<T>(m);
  const tensor::VectorView<T> column_sum = scratch.vector<T>(state.gibbs.stride);
  GibbsRows<T> gibbs(head, state, scratch);
  gibbs.begin(column_sum);
  for (int t = 1; t <= iterations; ++t) {
    update_columns<T>(m, b, column_sum, state.v(t));
    gibbs.scaling_sweep(state.v(t), state.u(t), column_sum);
  }
  state.column_error = column_error<T>(m, b, column_sum, state.v(iterations));
  if (!trustworthy(state)) return false;
  const tensor::MatrixView<T> scaled_values = scratch.matrix<T>(m, head.values.cols);
  tensor::scale_rows<T>(head.values, state.v(iterations).first(static_cast<std::size_t>(m)),
                        scaled_values);
  gibbs.times(scaled_values, output);
  tensor::scale_rows<T>(output, state.u(iterations), output);
  return true;
}

/// The whole head in the log domain. Scores that are not kept are forgotten again.
template <class T>
void leave_exp_domain(const AttentionHead<T>& head, SinkhornState<T>& state,
                      tensor::MatrixView<T> output, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  state.underflows = count_underflows(state);
  const tensor::MatrixView<T> kept = state.gibbs;
  log_domain_scores(head, state, scratch);
  sinkhorn_log_domain<T>(head, state, output, scratch);
  state.gibbs = kept;
}

}  // namespace

GibbsLifetime best_lifetime(std::int64_t n, std::int64_t m, std::int64_t value_bytes) {
  const std::int64_t bytes = n * m * value_bytes;
  if (bytes <= kMostKeptBytes) return GibbsLifetime::kept;
  return bytes <= kMostReleasedBytes ? GibbsLifetime::released : GibbsLifetime::blocks;
}

template <class T>
SinkhornState<T> sinkhorn_attention(const AttentionHead<T>& head, int iterations,
                                    tensor::MatrixView<T> output, tensor::Arena& arena,
                                    GibbsLifetime lifetime) {
  const std::int64_t n = head.queries.rows;
  const std::int64_t m = head.keys.rows;
  SinkhornState<T> state = allocate_state<T>(n, m, iterations, lifetime, arena);
  if (n == 0 || m == 0) {
    for (std::int64_t i = 0; i < n; ++i)
      for (T& value : output.row(i)) value = T(0);
    return state;
  }
  if (!attend_in_exp_domain(head, state, output, arena))
    leave_exp_domain(head, state, output, arena);
  return state;
}

template <class T>
void sinkhorn_plan(const SinkhornState<T>& state, tensor::MatrixView<T> plan) {
  const tensor::VectorView<T> u = state.u(state.iterations);
  const tensor::VectorView<T> v = state.v(state.iterations);
  for (std::int64_t i = 0; i < plan.rows; ++i)
    for (std::int64_t j = 0; j < plan.cols; ++j)
      plan(i, j) = state.log_domain ? std::exp(state.gibbs(i, j) + u[i] + v[j])
                                    : u[i] * state.gibbs(i, j) * v[j];
}

#define ASAP_INSTANTIATE(T)                                                                \
  template SinkhornState<T> sinkhorn_attention<T>(                                         \
      const AttentionHead<T>&, int, tensor::MatrixView<T>, tensor::Arena&, GibbsLifetime); \
  template void sinkhorn_plan<T>(const SinkhornState<T>&, tensor::MatrixView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
