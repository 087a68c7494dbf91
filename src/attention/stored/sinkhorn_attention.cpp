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
SinkhornState<T> allocate_state(const AttentionHead<T>& head, int iterations,
                                GibbsLifetime lifetime, tensor::Arena& arena) {
  const std::int64_t n = head.queries.rows, m = head.keys.rows;
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
  if (head.slack > T(0)) {
    state.slack = head.slack;
    state.slack_entries = arena.vector<T>(stride);
    state.slack_scalings = arena.vector<T>(iterations);
  }
  return state;
}

/// Whether the exp domain lost nothing that matters: all scalings finite, no product of scalings so
/// large that an underflowed entry of K could have carried mass, and none so large or small that
/// its square, which the backward pass needs, is no normal number. (Entries of K are at most 1, so
/// that no scaling is below 1 / m of the inverse of the largest one of the other kind.)
/// Of the first `iterations` iterations.
template <class T>
bool trustworthy(const SinkhornState<T>& state, int iterations) {
  const int count = iterations + 1;
  // One reduction per stack: the scalings of all iterations lie one after the other.
  const auto largest_u = static_cast<double>(tensor::maximum<T>(tensor::VectorView<const T>(
      state.u(0).data(), static_cast<std::size_t>(count * state.row_factors.stride))));
  // The slack row has entries and a scaling like the others.
  const auto u = std::max(largest_u, static_cast<double>(tensor::maximum<T>(state.slack_scalings)));
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

/// The slack row of K: the row of zeros under the shifts of the columns, its largest entry 1.
template <class T>
void shift_slack_row(const SinkhornState<T>& state) {
  const auto live = static_cast<std::size_t>(state.gibbs.cols);
  const T largest = tensor::maximum<T>(state.column_shift.first(live));
  for (std::size_t j = 0; j < live; ++j) state.slack_entries[j] = state.column_shift[j] - largest;
  tensor::exponential<T>(state.slack_entries.first(live), state.slack_entries.first(live));
  std::fill(state.slack_entries.begin() + state.gibbs.cols, state.slack_entries.end(), T(0));
}

/// The iterations with slack, from the column sums of u^0 on. Returns the column error.
template <class T>
T iterate_with_slack(SinkhornState<T>& state, const GibbsRows<T>& gibbs,
                     tensor::VectorView<T> column_sum) {
  const std::int64_t m = state.gibbs.cols;
  const auto n = static_cast<T>(state.gibbs.rows);
  const T b = (T(1) + state.slack) * n / static_cast<T>(m), mass = state.slack * n;
  shift_slack_row(state);
  SlackRow<T> row{state.slack_entries};
  T sum = tensor::dot<T>(row.entries, state.v(0));
  for (int t = 1; t <= state.iterations; ++t) {
    row.scaling = mass / sum;
    state.slack_scalings[t - 1] = row.scaling;
    sum = update_columns_with_slack<T>(m, b, row, column_sum, state.v(t));
    gibbs.scaling_sweep(state.v(t), state.u(t), column_sum);
  }
  T excess = T(0);
  for (std::int64_t j = 0; j < m; ++j)
    excess += std::max(T(0), state.v(state.iterations)[j] * column_sum[j] / b - T(1));
  return std::isfinite(sum) ? excess / static_cast<T>(m) : sum;
}

/// Returns false, with an undefined output, when the exp domain lost too much. `cut` may be null.
template <class T>
bool attend_in_exp_domain(const AttentionHead<T>& head, SinkhornState<T>& state,
                          tensor::MatrixView<T> output, tensor::Arena& scratch,
                          SinkhornCut<T>* cut = nullptr) {
  const tensor::ArenaScope scope(scratch);
  int iterations = state.iterations;
  const std::int64_t m = state.gibbs.cols;
  const T b = static_cast<T>(state.gibbs.rows) / static_cast<T>(m);
  const tensor::VectorView<T> column_sum = scratch.vector<T>(state.gibbs.stride);
  GibbsRows<T> gibbs(head, state, scratch);
  gibbs.begin(column_sum);
  if (state.slack > T(0)) {
    state.column_error = iterate_with_slack(state, gibbs, column_sum);
  } else {
    for (int t = 1; t <= iterations; ++t) {
      if (cut && t == cut->iterations) {
        cut->error = column_error<T>(m, b, column_sum, state.v(t - 1));
        cut->stopped = cut->error <= cut->limit;
        if (cut->stopped) iterations = t;
      }
      update_columns<T>(m, b, column_sum, state.v(t));
      gibbs.scaling_sweep(state.v(t), state.u(t), column_sum);
    }
    state.column_error = column_error<T>(m, b, column_sum, state.v(iterations));
  }
  if (!trustworthy(state, iterations)) return false;
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
  SinkhornState<T> state = allocate_state<T>(head, iterations, lifetime, arena);
  if (n == 0 || m == 0) {
    for (std::int64_t i = 0; i < n; ++i)
      for (T& value : output.row(i)) value = T(0);
    state.slack = T(0);  // nothing depends on it
    return state;
  }
  if (!attend_in_exp_domain(head, state, output, arena))
    leave_exp_domain(head, state, output, arena);
  return state;
}

template <class T>
bool cut_sinkhorn_attention(const AttentionHead<T>& head, int iterations, SinkhornCut<T>& cut,
                            tensor::MatrixView<T> output, tensor::Arena& scratch) {
  base::check(cut.iterations >= 1 && cut.iterations <= iterations,
              "cut_sinkhorn_attention: not between 1 and all iterations");
  const tensor::ArenaScope scope(scratch);
  const std::int64_t n = head.queries.rows, m = head.keys.rows;
  if (n > 0 && m > 0) {
    SinkhornState<T> state = allocate_state<T>(head, iterations, GibbsLifetime::kept, scratch);
    if (attend_in_exp_domain(head, state, output, scratch, &cut)) return false;
  }
  cut.error = sinkhorn_attention<T>(head, cut.iterations - 1, output, scratch).column_error;
  cut.stopped = cut.error <= cut.limit;
  sinkhorn_attention<T>(head, cut.stopped ? cut.iterations : iterations, output, scratch);
  return n > 0 && m > 0;
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
  template bool cut_sinkhorn_attention<T>(const AttentionHead<T>&, int, SinkhornCut<T>&,   \
                                          tensor::MatrixView<T>, tensor::Arena&);          \
  template void sinkhorn_plan<T>(const SinkhornState<T>&, tensor::MatrixView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
