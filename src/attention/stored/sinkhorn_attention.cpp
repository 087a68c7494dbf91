#include "attention/stored/sinkhorn_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention/stored/column_updates.h"
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

template <class T>
SinkhornState<T> allocate_state(std::int64_t n, std::int64_t m, int iterations,
                                tensor::Arena& arena) {
  const std::int64_t stride = padded_columns<T>(m);
  const std::int64_t factors = 2 * iterations + 1;
  SinkhornState<T> state;
  state.iterations = iterations;
  state.gibbs = {arena.take<T>(n * stride), n, m, stride};
  state.row_factors = arena.matrix<T>(factors, n);
  state.column_factors = {arena.take<T>(factors * stride), factors, m, stride};
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

/// Shifts, exponentials and iterations on the scores that state.gibbs holds.
template <class T>
void iterate(SinkhornState<T>& state, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t m = state.gibbs.cols;
  const T b = static_cast<T>(state.gibbs.rows) / static_cast<T>(m);
  const tensor::VectorView<T> row_shift = scratch.vector<T>(state.gibbs.rows);
  const tensor::VectorView<T> column_shift = scratch.vector<T>(state.gibbs.stride);
  const tensor::VectorView<T> column_sum = scratch.vector<T>(state.gibbs.stride);

  score_shifts<T>(state.gibbs, row_shift, column_shift);
  const tensor::VectorView<T> start =
      state.v(0);  // g = 0 in the coordinates of the shifted Gibbs kernel
  tensor::scale<T>(T(-1), column_shift, start);
  tensor::exponential<T>(start, start);
  for (std::size_t j = static_cast<std::size_t>(m); j < start.size(); ++j) start[j] = T(0);
  exponentiate_and_scale<T>(state.gibbs, row_shift, column_shift, start, state.u(0), column_sum);
  for (int t = 1; t <= state.iterations; ++t) {
    update_columns<T>(m, b, column_sum, state.v(t));
    scaling_sweep<T>(state.gibbs, state.v(t), state.u(t), column_sum);
  }
  state.column_error = column_error<T>(m, b, column_sum, state.v(state.iterations));
}

}  // namespace

template <class T>
SinkhornState<T> sinkhorn_attention(const AttentionHead<T>& head, int iterations,
                                    tensor::MatrixView<T> output, tensor::Arena& arena) {
  const std::int64_t n = head.queries.rows;
  const std::int64_t m = head.keys.rows;
  SinkhornState<T> state = allocate_state<T>(n, m, iterations, arena);
  if (n == 0 || m == 0) {
    for (std::int64_t i = 0; i < n; ++i)
      for (T& value : output.row(i)) value = T(0);
    return state;
  }
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, head.scale, head.queries,
                  head.keys, T(0), state.gibbs);
  iterate(state, arena);
  if (!trustworthy(state)) {
    state.underflows = count_underflows(state);
    tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, head.scale, head.queries,
                    head.keys, T(0), state.gibbs);
    sinkhorn_log_domain<T>(head, state, output, arena);
    return state;
  }
  const tensor::ArenaScope scope(arena);
  tensor::MatrixView<T> scaled_values = arena.matrix<T>(m, head.values.cols);
  tensor::scale_rows<T>(head.values, state.v(iterations).first(static_cast<std::size_t>(m)),
                        scaled_values);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), state.gibbs, scaled_values,
                  T(0), output);
  tensor::scale_rows<T>(output, state.u(iterations), output);
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

#define ASAP_INSTANTIATE(T)                                                               \
  template SinkhornState<T> sinkhorn_attention<T>(const AttentionHead<T>&, int,           \
                                                  tensor::MatrixView<T>, tensor::Arena&); \
  template void sinkhorn_plan<T>(const SinkhornState<T>&, tensor::MatrixView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
