#include "attention/transport/transport_layer.h"

#include <algorithm>
#include <limits>

#include "attention/stored/scaling_kernels.h"
#include "attention/transport/transport_log_domain.h"
#include "tensor/kernels/elementwise.h"

namespace asap::attention {
namespace {

template <class T>
TransportState<T> allocate_state(const TransportProblem<T>& problem, int iterations,
                                 tensor::Arena& arena) {
  TransportState<T> state;
  state.iterations = iterations;
  state.gibbs = allocate_gibbs(problem, arena);
  const tensor::MatrixView<T>& entries = state.gibbs.entries;
  const std::int64_t factors = 2 * iterations + 1;
  state.row_factors = arena.matrix<T>(factors + 1, entries.rows);
  state.column_factors = {arena.take<T>(factors * entries.stride), factors, entries.cols,
                          entries.stride};
  return state;
}

/// Expects S in state.gibbs. Returns false when the exp domain lost too much.
template <class T>
bool transport_in_exp_domain(TransportState<T>& state, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const TransportGibbs<T>& gibbs = state.gibbs;
  const int iterations = state.iterations;
  const tensor::VectorView<T> column_sum = scratch.vector<T>(gibbs.entries.stride);
  exponentiate_scores<T>(gibbs, state.v(0), state.u(0), column_sum);
  if (iterations > 0) weighted_column_sum<T>(gibbs.entries, state.u(0), column_sum);
  for (int t = 1; t <= iterations; ++t) {
    weighted_column_update<T>(gibbs, column_sum, state.v(t));
    weighted_scaling_sweep<T>(gibbs.entries, state.v(t), gibbs.row_marginals, state.u(t),
                              column_sum);
  }
  // One reduction per stack: the scalings of all updates lie one after the other.
  const auto largest = [&](const T* first, std::int64_t stride) {
    const auto count = static_cast<std::size_t>((iterations + 1) * stride);
    return static_cast<double>(tensor::maximum<T>(tensor::VectorView<const T>(first, count)));
  };
  return trustworthy<T>(gibbs,
                        {largest(state.row_factors.data, state.row_factors.stride),
                         largest(state.v(0).data(), state.column_factors.stride)},
                        state.u(iterations), state.v(iterations));
}

}  // namespace

template <class T>
TransportState<T> transport(const TransportProblem<T>& problem, int iterations,
                            const TransportDuals<T>& duals, tensor::Arena& arena) {
  base::check(std::ssize(duals.rows) == problem.rows() &&
                  std::ssize(duals.columns) == problem.columns() && iterations >= 0,
              "transport: shapes do not fit");
  TransportState<T> state = allocate_state<T>(problem, iterations, arena);
  if (state.gibbs.empty()) {
    std::ranges::fill(duals.rows, -std::numeric_limits<T>::infinity());
    std::ranges::fill(duals.columns, -std::numeric_limits<T>::infinity());
    return state;
  }
  load_scores(problem, state.gibbs);
  if (!transport_in_exp_domain(state, arena)) {
    load_scores(problem, state.gibbs);
    transport_in_log_domain(state);
  }
  write_duals<T>(state.gibbs, state.log_domain, state.u(iterations), state.v(iterations), duals);
  return state;
}

#define ASAP_INSTANTIATE(T)                                                \
  template TransportState<T> transport<T>(const TransportProblem<T>&, int, \
                                          const TransportDuals<T>&, tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
