#include "attention/transport/transport_gibbs.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention/stored/scaling_kernels.h"
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

/// Shifts that are whole numbers add to a score without rounding where the sum, an exponent, is
/// smaller than the score: where the entry of K matters. The largest entries of K are then between
/// 1 / e and e instead of 1.
template <class T>
void round_shifts(tensor::VectorView<T> shifts) {
  for (T& shift : shifts) shift = std::round(shift);
}

/// Writes one side's duals. `shift` is empty in the log domain.
template <class T>
void write_side(tensor::VectorView<const T> scalings, tensor::VectorView<const T> shift,
                tensor::VectorView<const std::int64_t> index, tensor::VectorView<T> out) {
  std::ranges::fill(out, -std::numeric_limits<T>::infinity());
  for (std::size_t k = 0; k < index.size(); ++k)
    out[index[k]] = shift.empty() ? scalings[k] : std::log(scalings[k]) + shift[k];
}

}  // namespace

template <class T>
TransportGibbs<T> allocate_gibbs(const TransportProblem<T>& problem, tensor::Arena& arena) {
  base::check(std::ssize(problem.row_marginals) == problem.rows() &&
                  std::ssize(problem.column_marginals) == problem.columns(),
              "transport: shapes do not fit");
  TransportGibbs<T> gibbs;
  gibbs.row_index = live_index<T>(problem.row_marginals, arena);
  gibbs.column_index = live_index<T>(problem.column_marginals, arena);
  gibbs.row_marginals = gather<T>(problem.row_marginals, gibbs.row_index, arena);
  gibbs.column_marginals = gather<T>(problem.column_marginals, gibbs.column_index, arena);
  const std::int64_t n = std::ssize(gibbs.row_index), m = std::ssize(gibbs.column_index);
  const std::int64_t stride = padded_columns<T>(m);
  gibbs.entries = {arena.take<T>(n * stride), n, m, stride};
  gibbs.row_shift = arena.vector<T>(n);
  gibbs.column_shift = arena.vector<T>(stride);
  return gibbs;
}

template <class T>
void load_scores(const TransportProblem<T>& problem, const TransportGibbs<T>& gibbs) {
  const std::int64_t columns = problem.scores.cols;
  // Live columns are mostly all of them; then rows are copied as they are.
  const bool all = std::ssize(gibbs.column_index) == problem.columns();
  for (std::int64_t i = 0; i < gibbs.entries.rows; ++i) {
    const tensor::VectorView<T> row = gibbs.entries.row(i);
    const std::int64_t from = gibbs.row_index[i];
    if (all && from < problem.scores.rows) {
      std::ranges::copy(problem.scores.row(from), row.begin());
      if (problem.bin) row[columns] = *problem.bin;
    } else {
      for (std::size_t j = 0; j < row.size(); ++j)
        row[j] = problem.score(from, gibbs.column_index[j]);
    }
  }
}

template <class T>
void exponentiate_scores(const TransportGibbs<T>& gibbs, tensor::VectorView<T> v,
                         tensor::VectorView<T> u, tensor::VectorView<T> scratch) {
  score_shifts<T>(gibbs.entries, gibbs.row_shift, gibbs.column_shift);
  round_shifts(gibbs.row_shift);
  round_shifts(gibbs.column_shift);
  // g = 0 is v = exp(-shift): at most e, because entries of S + r are at most 1/2.
  for (std::size_t j = 0; j < v.size(); ++j) v[j] = -gibbs.column_shift[j];
  tensor::exponential<T>(v, v);
  std::fill(v.begin() + gibbs.entries.cols, v.end(), T(0));
  exponentiate_and_scale<T>(gibbs.entries, gibbs.row_shift, gibbs.column_shift, v, u, scratch);
  tensor::multiply<T>(u, gibbs.row_marginals, u);
}

template <class T>
void weighted_column_update(const TransportGibbs<T>& gibbs, tensor::VectorView<const T> column_sum,
                            tensor::VectorView<T> v) {
  for (std::size_t j = 0; j < gibbs.column_marginals.size(); ++j)
    v[j] = gibbs.column_marginals[j] / column_sum[j];
  std::fill(v.begin() + gibbs.entries.cols, v.end(), T(0));
}

template <class T>
bool trustworthy(const TransportGibbs<T>& gibbs, const LargestScalings& largest,
                 tensor::VectorView<const T> u, tensor::VectorView<const T> v) {
  const auto smallest = static_cast<double>(std::numeric_limits<T>::min());
  const auto longest = static_cast<double>(std::max(gibbs.entries.rows, gibbs.entries.cols));
  const auto least = static_cast<double>(
      std::min(std::ranges::min(gibbs.row_marginals), std::ranges::min(gibbs.column_marginals)));
  // Maxima may pass over NaN; a sum does not.
  return std::isfinite(tensor::sum<T>(u) + tensor::sum<T>(v)) &&
         largest.u * largest.v <= kLostShare * least / (smallest * longest) &&
         std::max(largest.u, largest.v) <= std::min(1.0, least) / (std::sqrt(smallest) * longest);
}

template <class T>
void write_duals(const TransportGibbs<T>& gibbs, bool log_domain, tensor::VectorView<const T> u,
                 tensor::VectorView<const T> v, const TransportDuals<T>& duals) {
  const auto shift = [&](tensor::VectorView<T> own) {
    return log_domain ? tensor::VectorView<T>() : own;
  };
  write_side<T>(u, shift(gibbs.row_shift), gibbs.row_index, duals.rows);
  write_side<T>(v, shift(gibbs.column_shift), gibbs.column_index, duals.columns);
}

#define ASAP_INSTANTIATE(T)                                                                      \
  template TransportGibbs<T> allocate_gibbs<T>(const TransportProblem<T>&, tensor::Arena&);      \
  template void load_scores<T>(const TransportProblem<T>&, const TransportGibbs<T>&);            \
  template void exponentiate_scores<T>(const TransportGibbs<T>&, tensor::VectorView<T>,          \
                                       tensor::VectorView<T>, tensor::VectorView<T>);            \
  template void weighted_column_update<T>(const TransportGibbs<T>&, tensor::VectorView<const T>, \
                                          tensor::VectorView<T>);                                \
  template bool trustworthy<T>(const TransportGibbs<T>&, const LargestScalings&,                 \
                               tensor::VectorView<const T>, tensor::VectorView<const T>);        \
  template void write_duals<T>(const TransportGibbs<T>&, bool, tensor::VectorView<const T>,      \
                               tensor::VectorView<const T>, const TransportDuals<T>&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
