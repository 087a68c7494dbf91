#include "attention/transport/sparse_polish.h"

#include <algorithm>
#include <cmath>

#include "attention/transport/sparse_sums.h"
#include "tensor/kernels/elementwise.h"

namespace asap::attention {
namespace {

/// Entries kept row by row, in memory that grows.
template <class T>
class KeptEntries {
 public:
  KeptEntries(std::int64_t rows, std::int64_t columns, tensor::Arena& arena)
      : arena_(arena),
        most_of_row_(columns + kKeptSlack),
        starts_(arena.vector<std::int64_t>(rows + 1)) {
    starts_[0] = 0;
    grow(kFirstGuess * rows + most_of_row_);
  }

  /// Row i of the plan: entries above the threshold, without an exponential of any other. Rows come
  /// in order.
  void add(std::int64_t i, tensor::VectorView<const T> scores, const TransportDuals<T>& duals,
           T log_threshold) {
    if (std::ssize(columns_) - size_ < most_of_row_) grow(2 * std::ssize(columns_) + most_of_row_);
    const T f = duals.rows[i];
    const auto from = static_cast<std::size_t>(size_);
    // A masked column has the dual -infinity, whatever its scores.
    const std::int64_t kept = keep_larger<T>(scores, duals.columns, f, log_threshold - f,
                                             columns_.subspan(from), entries_.subspan(from));
    const auto exponents = entries_.subspan(from, static_cast<std::size_t>(kept));
    tensor::exponential<T>(exponents, exponents);
    size_ += kept;
    starts_[i + 1] = size_;
  }
  void add_empty(std::int64_t i) { starts_[i + 1] = size_; }

  tensor::VectorView<const std::int64_t> starts() const { return starts_; }
  tensor::VectorView<std::int32_t> columns() const {
    return columns_.first(static_cast<std::size_t>(size_));
  }
  tensor::VectorView<T> entries() const { return entries_.first(static_cast<std::size_t>(size_)); }

 private:
  static constexpr std::int64_t kFirstGuess = 64;  // entries of a row

  void grow(std::int64_t room) {
    const auto columns = arena_.vector<std::int32_t>(room);
    const auto entries = arena_.vector<T>(room);
    std::ranges::copy(this->columns(), columns.begin());
    std::ranges::copy(this->entries(), entries.begin());
    columns_ = columns;
    entries_ = entries;
  }

  tensor::Arena& arena_;
  std::int64_t most_of_row_, size_ = 0;
  tensor::VectorView<std::int64_t> starts_;
  tensor::VectorView<std::int32_t> columns_{};
  tensor::VectorView<T> entries_{};
};

/// A plan and the scalings u, v that the iterations multiply it by, dustbins last.
template <class T>
struct Iterate {
  const TransportProblem<T>& problem;
  KeptEntries<T> kept;
  SlicedRows<T> by_rows{}, by_columns{};
  tensor::VectorView<T> row_bins{}, column_bins{};  // of points
  T corner = T(0);
  tensor::VectorView<T> u{}, v{};

  std::size_t rows() const { return row_bins.size(); }
  std::size_t columns() const { return column_bins.size(); }
  bool row_lives(std::size_t i) const { return problem.row_marginals[i] > T(0); }
  bool column_lives(std::size_t j) const { return problem.column_marginals[j] > T(0); }

  /// sum_i A_ij u_i for every j, without v.
  void column_sums(tensor::VectorView<T> out) const {
    sums(by_columns, column_bins, row_bins, u, out);
  }
  /// sum_j A_ij v_j for every i, without u.
  void row_sums(tensor::VectorView<T> out) const { sums(by_rows, row_bins, column_bins, v, out); }
  /// column_sums: of the u there are.
  void update_columns(tensor::VectorView<const T> column_sums) {
    scale_to_masses<T>(problem.column_marginals, column_sums, v);
  }
  void update_rows() {
    row_sums(u);
    scale_to_masses<T>(problem.row_marginals, u, u);
  }
  /// sum over points j of |sum_i A_ij / b_j - 1|. column_sums: of the u there are.
  double total_column_error(tensor::VectorView<const T> column_sums) const {
    const std::size_t points = columns();
    return static_cast<double>(total_mass_error<T>(problem.column_marginals.first(points),
                                                   column_sums.first(points), v.first(points)));
  }

 private:
  /// `bins`: of the points that are summed for, `other_bins` of those that are summed over.
  void sums(const SlicedRows<T>& matrix, tensor::VectorView<const T> bins,
            tensor::VectorView<const T> other_bins, tensor::VectorView<const T> x,
            tensor::VectorView<T> out) const {
    const std::size_t points = bins.size(), others = other_bins.size();
    sparse_row_sums<T>(matrix, x, out.first(points));
    tensor::axpy<T>(x.back(), bins, out.first(points));
    out.back() = corner * x.back() + tensor::dot<T>(other_bins, x.first(others));
  }
};

/// Entries between points and the dustbin of the other side, exp(bin + own_k + other), 0 where
/// masked: [points].
template <class T>
tensor::VectorView<T> bin_entries(T bin, tensor::VectorView<const T> own, T other,
                                  tensor::Arena& arena) {
  const auto out = arena.vector<T>(std::ssize(own) - 1);
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = bin + own[k] + other;
  tensor::exponential<T>(out, out);
  for (std::size_t k = 0; k < out.size(); ++k)
    if (!std::isfinite(own[k]) || !std::isfinite(other)) out[k] = T(0);
  return out;
}

/// The kept entries under the duals, with scalings of 1.
template <class T>
Iterate<T> keep_entries(const TransportProblem<T>& problem, double threshold,
                        const TransportDuals<T>& duals, tensor::Arena& arena) {
  const std::int64_t n = problem.scores.rows, m = problem.scores.cols;
  Iterate<T> iterate{.problem = problem, .kept = KeptEntries<T>(n, m, arena)};
  const T log_threshold = static_cast<T>(std::log(threshold));
  for (std::int64_t i = 0; i < n; ++i) {
    if (problem.row_marginals[i] > T(0))
      iterate.kept.add(i, problem.scores.row(i), duals, log_threshold);
    else
      iterate.kept.add_empty(i);
  }
  const KeptEntries<T>& kept = iterate.kept;
  const CompressedRows<T> matrix{kept.starts(), kept.columns(), kept.entries()};
  iterate.by_rows = slice(matrix, m, SlicedLines::rows, arena);
  iterate.by_columns = slice(matrix, m, SlicedLines::columns, arena);
  const T bin = *problem.bin;
  iterate.row_bins = bin_entries<T>(bin, duals.rows, duals.columns.back(), arena);
  iterate.column_bins = bin_entries<T>(bin, duals.columns, duals.rows.back(), arena);
  if (problem.row_marginals.back() > T(0) && problem.column_marginals.back() > T(0))
    iterate.corner = std::exp(bin + duals.rows.back() + duals.columns.back());
  iterate.u = arena.vector<T>(n + 1);
  iterate.v = arena.vector<T>(m + 1);
  std::ranges::fill(iterate.u, T(1));
  std::ranges::fill(iterate.v, T(1));
  return iterate;
}

/// Whether every live row and column keeps more than the threshold, so that scalings are finite.
template <class T>
bool keeps_enough(tensor::VectorView<const T> marginals, tensor::VectorView<const T> sums,
                  double threshold) {
  for (std::size_t k = 0; k < sums.size(); ++k)
    if (marginals[k] > T(0) && !(static_cast<double>(sums[k]) > threshold)) return false;
  return true;
}

/// What each point's row lost, as a share of its marginal.
template <class T>
tensor::VectorView<double> dropped_shares(const Iterate<T>& iterate,
                                          tensor::VectorView<const T> row_sums,
                                          tensor::Arena& arena) {
  const auto out = arena.vector<double>(std::ssize(iterate.row_bins));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = iterate.row_lives(i)
                 ? std::max(0.0, 1 - static_cast<double>(row_sums[i]) /
                                         static_cast<double>(iterate.problem.row_marginals[i]))
                 : 0.0;
  return out;
}

/// The plan with its scalings, and the duals that belong to it.
template <class T>
SparsePlan<T> write_result(const Iterate<T>& iterate, const TransportDuals<T>& duals) {
  const tensor::VectorView<const T> u = iterate.u, v = iterate.v;
  for (std::size_t i = 0; i < u.size(); ++i)
    if (iterate.row_lives(i)) duals.rows[i] += std::log(u[i]);
  for (std::size_t j = 0; j < v.size(); ++j)
    if (iterate.column_lives(j)) duals.columns[j] += std::log(v[j]);
  const auto starts = iterate.kept.starts();
  const auto columns = iterate.kept.columns();
  const auto entries = iterate.kept.entries();
  for (std::size_t i = 0; i < iterate.rows(); ++i)
    for (std::int64_t k = starts[i]; k < starts[i + 1]; ++k) entries[k] *= u[i] * v[columns[k]];
  for (std::size_t i = 0; i < iterate.rows(); ++i) iterate.row_bins[i] *= u[i] * v.back();
  for (std::size_t j = 0; j < iterate.columns(); ++j) iterate.column_bins[j] *= u.back() * v[j];
  return {.row_starts = starts,
          .columns = columns,
          .entries = entries,
          .row_bins = iterate.row_bins,
          .column_bins = iterate.column_bins,
          .corner = iterate.corner * u.back() * v.back()};
}

}  // namespace

template <class T>
PolishEvidence sparse_polish(const TransportProblem<T>& problem, const SparsePolish& polish,
                             const TransportDuals<T>& duals, SparsePlan<T>& plan,
                             tensor::Arena& arena) {
  base::check(problem.bin && std::ssize(duals.rows) == problem.rows() &&
                  std::ssize(duals.columns) == problem.columns() && polish.iterations >= 0 &&
                  polish.threshold > 0 && polish.tolerance >= 0,
              "sparse_polish: no dustbins, or shapes do not fit");
  Iterate<T> iterate = keep_entries(problem, polish.threshold, duals, arena);
  const auto row_sums = arena.vector<T>(problem.rows());
  const auto column_sums = arena.vector<T>(problem.columns());
  iterate.row_sums(row_sums);
  iterate.column_sums(column_sums);
  const auto dropped = dropped_shares<T>(iterate, row_sums, arena);
  PolishEvidence evidence;
  double points = 0;
  for (std::size_t i = 0; i < dropped.size(); ++i) {
    points += iterate.row_lives(i) ? 1 : 0;
    evidence.most_dropped = std::max(evidence.most_dropped, dropped[i]);
  }
  points = std::max(points, 1.0);
  evidence.entries_per_row = static_cast<double>(iterate.kept.entries().size()) / points;
  evidence.polished = keeps_enough<T>(problem.row_marginals, row_sums, polish.threshold) &&
                      keeps_enough<T>(problem.column_marginals, column_sums, polish.threshold);
  const double live_columns = std::max<double>(
      static_cast<double>(std::ranges::count_if(problem.column_marginals.first(iterate.columns()),
                                                [](T mass) { return mass > T(0); })),
      1);
  evidence.column_error = iterate.total_column_error(column_sums) / live_columns;
  while (evidence.polished && evidence.iterations < polish.iterations &&
         evidence.column_error > polish.tolerance) {
    iterate.update_columns(column_sums);
    iterate.update_rows();
    ++evidence.iterations;
    iterate.column_sums(column_sums);
    evidence.column_error = iterate.total_column_error(column_sums) / live_columns;
  }
  const auto largest_v = static_cast<double>(*std::ranges::max_element(iterate.v));
  for (std::size_t i = 0; i < dropped.size(); ++i) {
    evidence.dropped_mass += dropped[i] / points;
    evidence.dropped_bound += dropped[i] * static_cast<double>(iterate.u[i]) * largest_v / points;
  }
  plan = write_result(iterate, duals);
  return evidence;
}

#define ASAP_INSTANTIATE(T)                                                                 \
  template PolishEvidence sparse_polish<T>(const TransportProblem<T>&, const SparsePolish&, \
                                           const TransportDuals<T>&, SparsePlan<T>&,        \
                                           tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
