#include "attention/transport/transport_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention/stored/scaling_kernels.h"
#include "attention/transport/transport_log_domain.h"
#include "tensor/kernels/elementwise.h"

namespace asap::attention {
namespace {

/// The share of the smallest marginal that entries of K below the smallest normal number may carry.
constexpr double kLostShare = 1e-8;

/// The numbers of the positive marginals.
template <class T>
tensor::VectorView<std::int64_t> live_index(tensor::VectorView<const T> marginals,
                                            tensor::Arena& arena) {
  const auto masked = [](T mass) { return !(mass > T(0)); };
  const auto count = std::ssize(marginals) - std::ranges::count_if(marginals, masked);
  const tensor::VectorView<std::int64_t> index = arena.vector<std::int64_t>(count);
  std::size_t next = 0;
  for (std::size_t i = 0; i < marginals.size(); ++i)
    if (!masked(marginals[i])) index[next++] = static_cast<std::int64_t>(i);
  return index;
}

template <class T>
tensor::VectorView<T> gather(tensor::VectorView<const T> values,
                             tensor::VectorView<const std::int64_t> index, tensor::Arena& arena) {
  const tensor::VectorView<T> out = arena.vector<T>(std::ssize(index));
  for (std::size_t k = 0; k < index.size(); ++k) out[k] = values[index[k]];
  return out;
}

template <class T>
TransportState<T> allocate_state(const TransportProblem<T>& problem, int iterations,
                                 tensor::Arena& arena) {
  TransportState<T> state;
  state.iterations = iterations;
  state.row_index = live_index<T>(problem.row_marginals, arena);
  state.column_index = live_index<T>(problem.column_marginals, arena);
  state.row_marginals = gather<T>(problem.row_marginals, state.row_index, arena);
  state.column_marginals = gather<T>(problem.column_marginals, state.column_index, arena);
  const std::int64_t n = std::ssize(state.row_index), m = std::ssize(state.column_index);
  const std::int64_t stride = padded_columns<T>(m), factors = 2 * iterations + 1;
  state.gibbs = {arena.take<T>(n * stride), n, m, stride};
  state.row_factors = arena.matrix<T>(factors + 1, n);
  state.column_factors = {arena.take<T>(factors * stride), factors, m, stride};
  state.row_shift = arena.vector<T>(n);
  state.column_shift = arena.vector<T>(stride);
  return state;
}

/// Copies the scores of live rows and columns to state.gibbs.
template <class T>
void load_scores(const TransportProblem<T>& problem, TransportState<T>& state) {
  const std::int64_t columns = problem.scores.cols;
  // Live columns are mostly all of them; then rows are copied as they are.
  const bool all = std::ssize(state.column_index) == problem.columns();
  for (std::int64_t i = 0; i < state.gibbs.rows; ++i) {
    const tensor::VectorView<T> row = state.gibbs.row(i);
    const std::int64_t from = state.row_index[i];
    if (all && from < problem.scores.rows) {
      std::ranges::copy(problem.scores.row(from), row.begin());
      if (problem.bin) row[columns] = *problem.bin;
    } else {
      for (std::size_t j = 0; j < row.size(); ++j)
        row[j] = problem.score(from, state.column_index[j]);
    }
  }
}

/// v_j = b_j / column_sum_j; the padding becomes zero.
template <class T>
void update_columns(tensor::VectorView<const T> marginals, tensor::VectorView<const T> column_sum,
                    tensor::VectorView<T> v) {
  for (std::size_t j = 0; j < marginals.size(); ++j) v[j] = marginals[j] / column_sum[j];
  std::fill(v.begin() + std::ssize(marginals), v.end(), T(0));
}

/// Whether the exp domain lost nothing that matters: all scalings finite, no product of them so
/// large that the entries of K lost to underflow could have carried more than kLostShare of a
/// marginal, and none so large that its square, which the gradient needs, is no normal number.
template <class T>
bool trustworthy(const TransportState<T>& state) {
  const auto largest = [&](const T* first, std::int64_t stride) {
    const auto count = static_cast<std::size_t>((state.iterations + 1) * stride);
    return static_cast<double>(tensor::maximum<T>(tensor::VectorView<const T>(first, count)));
  };
  const double u = largest(state.row_factors.data, state.row_factors.stride);
  const double v = largest(state.v(0).data(), state.column_factors.stride);
  const auto smallest = static_cast<double>(std::numeric_limits<T>::min());
  const auto longest = static_cast<double>(std::max(state.gibbs.rows, state.gibbs.cols));
  const auto least = static_cast<double>(
      std::min(std::ranges::min(state.row_marginals), std::ranges::min(state.column_marginals)));
  // The maxima may pass over NaN; a sum does not, and whatever follows a NaN is NaN.
  const T sum =
      tensor::sum<T>(state.u(state.iterations)) + tensor::sum<T>(state.v(state.iterations));
  return std::isfinite(sum) && u * v <= kLostShare * least / (smallest * longest) &&
         std::max(u, v) <= std::min(1.0, least) / (std::sqrt(smallest) * longest);
}

/// Shifts that are whole numbers add to a score without rounding where the sum, an exponent, is
/// smaller than the score: where the entry of K matters. The largest entries of K are then between
/// 1 / e and e instead of 1.
template <class T>
void round_shifts(tensor::VectorView<T> shifts) {
  for (T& shift : shifts) shift = std::round(shift);
}

/// Expects S in state.gibbs. Returns false when the exp domain lost too much.
template <class T>
bool transport_in_exp_domain(TransportState<T>& state, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const tensor::VectorView<T> column_sum = scratch.vector<T>(state.gibbs.stride);
  score_shifts<T>(state.gibbs, state.row_shift, state.column_shift);
  round_shifts(state.row_shift);
  round_shifts(state.column_shift);
  // g = 0 is v = exp(-shift): at most e, because entries of S + r are at most 1/2.
  const tensor::VectorView<T> start = state.v(0);
  for (std::size_t j = 0; j < start.size(); ++j) start[j] = -state.column_shift[j];
  tensor::exponential<T>(start, start);
  std::fill(start.begin() + state.gibbs.cols, start.end(), T(0));
  exponentiate_and_scale<T>(state.gibbs, state.row_shift, state.column_shift, start, state.u(0),
                            column_sum);
  tensor::multiply<T>(state.u(0), state.row_marginals, state.u(0));
  weighted_column_sum<T>(state.gibbs, state.u(0), column_sum);
  for (int t = 1; t <= state.iterations; ++t) {
    update_columns<T>(state.column_marginals, column_sum, state.v(t));
    weighted_scaling_sweep<T>(state.gibbs, state.v(t), state.row_marginals, state.u(t), column_sum);
  }
  return trustworthy(state);
}

/// Writes one side's duals: those of the state, and -infinity elsewhere. `shift` is empty in the
/// log domain.
template <class T>
void write_duals(tensor::VectorView<const T> scalings, tensor::VectorView<const T> shift,
                 tensor::VectorView<const std::int64_t> index, tensor::VectorView<T> out) {
  std::ranges::fill(out, -std::numeric_limits<T>::infinity());
  for (std::size_t k = 0; k < index.size(); ++k)
    out[index[k]] = shift.empty() ? scalings[k] : std::log(scalings[k]) + shift[k];
}

}  // namespace

template <class T>
void dustbin_marginals(tensor::VectorView<T> row_marginals,
                       tensor::VectorView<T> column_marginals) {
  base::check(!row_marginals.empty() && !column_marginals.empty(),
              "dustbin_marginals: no room for the dustbins");
  std::ranges::fill(row_marginals, T(1));
  std::ranges::fill(column_marginals, T(1));
  row_marginals.back() = static_cast<T>(column_marginals.size() - 1);
  column_marginals.back() = static_cast<T>(row_marginals.size() - 1);
}

template <class T>
TransportState<T> transport(const TransportProblem<T>& problem, int iterations,
                            const TransportDuals<T>& duals, tensor::Arena& arena) {
  base::check(std::ssize(problem.row_marginals) == problem.rows() &&
                  std::ssize(problem.column_marginals) == problem.columns() &&
                  std::ssize(duals.rows) == problem.rows() &&
                  std::ssize(duals.columns) == problem.columns() && iterations >= 0,
              "transport: shapes do not fit");
  TransportState<T> state = allocate_state<T>(problem, iterations, arena);
  if (state.row_index.empty() || state.column_index.empty()) {
    std::ranges::fill(duals.rows, -std::numeric_limits<T>::infinity());
    std::ranges::fill(duals.columns, -std::numeric_limits<T>::infinity());
    return state;
  }
  load_scores(problem, state);
  if (!transport_in_exp_domain(state, arena)) {
    load_scores(problem, state);
    transport_in_log_domain(state);
  }
  const tensor::VectorView<T> none;
  const auto shift = [&](tensor::VectorView<T> own) { return state.log_domain ? none : own; };
  write_duals<T>(state.u(iterations), shift(state.row_shift), state.row_index, duals.rows);
  write_duals<T>(state.v(iterations), shift(state.column_shift), state.column_index, duals.columns);
  return state;
}

template <class T>
void log_transport_plan(const TransportProblem<T>& problem, const TransportDuals<const T>& duals,
                        tensor::MatrixView<T> out) {
  base::check(out.rows == problem.rows() && out.cols == problem.columns(),
              "log_transport_plan: shapes do not fit");
  for (std::int64_t i = 0; i < out.rows; ++i) {
    const tensor::VectorView<T> row = out.row(i);
    for (std::int64_t j = 0; j < out.cols; ++j)
      row[j] = problem.row_marginals[i] > T(0) && problem.column_marginals[j] > T(0)
                   ? problem.score(i, j) + duals.rows[i] + duals.columns[j]
                   : -std::numeric_limits<T>::infinity();
  }
}

#define ASAP_INSTANTIATE(T)                                                                       \
  template void dustbin_marginals<T>(tensor::VectorView<T>, tensor::VectorView<T>);               \
  template TransportState<T> transport<T>(const TransportProblem<T>&, int,                        \
                                          const TransportDuals<T>&, tensor::Arena&);              \
  template void log_transport_plan<T>(const TransportProblem<T>&, const TransportDuals<const T>&, \
                                      tensor::MatrixView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
