#include "attention/transport/sparse_polish.h"

#include <algorithm>
#include <cmath>

#include "attention/transport/sparse_sums.h"
#include "tensor/kernels/elementwise.h"

namespace asap::attention {
namespace {

template <class T>
CompressedRows<T> transposed(const CompressedRows<T>& matrix, std::size_t columns) {
  CompressedRows<T> out;
  out.starts.assign(columns + 1, 0);
  for (const std::int32_t j : matrix.columns) ++out.starts[j + 1];
  for (std::size_t j = 0; j < columns; ++j) out.starts[j + 1] += out.starts[j];
  out.columns.resize(matrix.columns.size());
  out.entries.resize(matrix.entries.size());
  std::vector<std::int64_t> next(out.starts.begin(), out.starts.end() - 1);
  for (std::size_t i = 0; i + 1 < matrix.starts.size(); ++i)
    for (std::int64_t k = matrix.starts[i]; k < matrix.starts[i + 1]; ++k) {
      const std::int64_t to = next[matrix.columns[k]]++;
      out.columns[to] = static_cast<std::int32_t>(i);
      out.entries[to] = matrix.entries[k];
    }
  return out;
}

/// A plan and the scalings u, v that the iterations multiply it by, dustbins last.
template <class T>
struct Iterate {
  const TransportProblem<T>& problem;
  T corner = T(0);
  CompressedRows<T> by_rows{}, by_columns{};
  std::vector<T> row_bins{}, column_bins{};  // of points
  std::vector<T> u{}, v{};

  std::size_t rows() const { return row_bins.size(); }
  std::size_t columns() const { return column_bins.size(); }
  bool row_lives(std::size_t i) const { return problem.row_marginals[i] > T(0); }
  bool column_lives(std::size_t j) const { return problem.column_marginals[j] > T(0); }

  /// sum_i A_ij u_i for every j, without v.
  void column_sums(std::vector<T>& out) const { sums(by_columns, column_bins, row_bins, u, out); }
  /// sum_j A_ij v_j for every i, without u.
  void row_sums(std::vector<T>& out) const { sums(by_rows, row_bins, column_bins, v, out); }
  void update_columns() {
    column_sums(v);
    scale(problem.column_marginals, v);
  }
  void update_rows() {
    row_sums(u);
    scale(problem.row_marginals, u);
  }

 private:
  /// `bins`: of the points that are summed for, `other_bins` of those that are summed over.
  void sums(const CompressedRows<T>& matrix, const std::vector<T>& bins,
            const std::vector<T>& other_bins, const std::vector<T>& x, std::vector<T>& out) const {
    const std::size_t points = bins.size(), others = other_bins.size();
    sparse_row_sums<T>(matrix, x, tensor::VectorView<T>(out).first(points));
    for (std::size_t k = 0; k < points; ++k) out[k] += bins[k] * x.back();
    out.back() = corner * x.back() +
                 tensor::dot<T>(other_bins, tensor::VectorView<const T>(x).first(others));
  }
  static void scale(tensor::VectorView<const T> marginals, std::vector<T>& sums) {
    for (std::size_t k = 0; k < sums.size(); ++k)
      sums[k] = marginals[k] > T(0) ? marginals[k] / sums[k] : T(0);
  }
};

/// exp(S_ij + f_i + g_j), 0 where masked.
template <class T>
T plan_entry(const TransportProblem<T>& problem, const TransportDuals<T>& duals, std::int64_t i,
             std::int64_t j) {
  if (!(problem.row_marginals[i] > T(0)) || !(problem.column_marginals[j] > T(0))) return T(0);
  return std::exp(problem.score(i, j) + duals.rows[i] + duals.columns[j]);
}

/// Appends the entries of one row above the threshold, without an exponential of any other.
template <class T>
void keep_row(const TransportProblem<T>& problem, const TransportDuals<T>& duals, std::int64_t i,
              T log_threshold, KeptRow<T>& kept, CompressedRows<T>& out) {
  const T f = duals.rows[i];
  // A masked column has the dual -infinity, whatever its scores.
  keep_larger<T>(problem.scores.row(i), duals.columns, f, log_threshold - f, kept);
  const auto exponents = tensor::VectorView<T>(kept.exponents).first(kept.count);
  tensor::exponential<T>(exponents, exponents);
  out.columns.insert(out.columns.end(), kept.columns.begin(), kept.columns.begin() + kept.count);
  out.entries.insert(out.entries.end(), exponents.begin(), exponents.end());
}

/// The kept entries under the duals, with scalings of 1.
template <class T>
Iterate<T> keep_entries(const TransportProblem<T>& problem, double threshold,
                        const TransportDuals<T>& duals) {
  const std::int64_t n = problem.scores.rows, m = problem.scores.cols;
  Iterate<T> iterate{.problem = problem, .corner = plan_entry(problem, duals, n, m)};
  iterate.by_rows.starts.push_back(0);
  KeptRow<T> kept(m);
  const T log_threshold = static_cast<T>(std::log(threshold));
  for (std::int64_t i = 0; i < n; ++i) {
    if (problem.row_marginals[i] > T(0))
      keep_row(problem, duals, i, log_threshold, kept, iterate.by_rows);
    iterate.by_rows.starts.push_back(std::ssize(iterate.by_rows.columns));
    iterate.row_bins.push_back(plan_entry(problem, duals, i, m));
  }
  for (std::int64_t j = 0; j < m; ++j)
    iterate.column_bins.push_back(plan_entry(problem, duals, n, j));
  iterate.by_columns = transposed(iterate.by_rows, static_cast<std::size_t>(m));
  iterate.u.assign(static_cast<std::size_t>(n + 1), T(1));
  iterate.v.assign(static_cast<std::size_t>(m + 1), T(1));
  return iterate;
}

/// Whether every live row and column keeps more than the threshold, so that scalings are finite.
template <class T>
bool keeps_enough(tensor::VectorView<const T> marginals, const std::vector<T>& sums,
                  double threshold) {
  for (std::size_t k = 0; k < sums.size(); ++k)
    if (marginals[k] > T(0) && !(static_cast<double>(sums[k]) > threshold)) return false;
  return true;
}

/// What each point's row lost, as a share of its marginal.
template <class T>
std::vector<double> dropped_shares(const Iterate<T>& iterate, const std::vector<T>& row_sums) {
  std::vector<double> out(iterate.rows(), 0.0);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (iterate.row_lives(i))
      out[i] = std::max(0.0, 1 - static_cast<double>(row_sums[i]) /
                                     static_cast<double>(iterate.problem.row_marginals[i]));
  return out;
}

template <class T>
double points_column_error(const Iterate<T>& iterate) {
  std::vector<T> sums(iterate.v.size());
  iterate.column_sums(sums);
  double total = 0;
  std::int64_t live = 0;
  for (std::size_t j = 0; j < iterate.columns(); ++j)
    if (iterate.column_lives(j)) {
      const T share = sums[j] * iterate.v[j] / iterate.problem.column_marginals[j];
      total += std::abs(static_cast<double>(share) - 1);
      ++live;
    }
  return live == 0 ? 0 : total / static_cast<double>(live);
}

/// The plan with its scalings, and the duals that belong to it.
template <class T>
void write_result(Iterate<T>& iterate, const TransportDuals<T>& duals, SparsePlan<T>& plan) {
  const std::vector<T>&u = iterate.u, &v = iterate.v;
  for (std::size_t i = 0; i < u.size(); ++i)
    if (iterate.row_lives(i)) duals.rows[i] += std::log(u[i]);
  for (std::size_t j = 0; j < v.size(); ++j)
    if (iterate.column_lives(j)) duals.columns[j] += std::log(v[j]);
  CompressedRows<T>& kept = iterate.by_rows;
  for (std::size_t i = 0; i < iterate.rows(); ++i) {
    for (std::int64_t k = kept.starts[i]; k < kept.starts[i + 1]; ++k)
      kept.entries[k] *= u[i] * v[kept.columns[k]];
    iterate.row_bins[i] *= u[i] * v.back();
  }
  for (std::size_t j = 0; j < iterate.columns(); ++j) iterate.column_bins[j] *= u.back() * v[j];
  plan = {std::move(kept.starts),         std::move(kept.columns),
          std::move(kept.entries),        std::move(iterate.row_bins),
          std::move(iterate.column_bins), iterate.corner * u.back() * v.back()};
}

}  // namespace

template <class T>
PolishEvidence sparse_polish(const TransportProblem<T>& problem, const SparsePolish& polish,
                             const TransportDuals<T>& duals, SparsePlan<T>& plan) {
  base::check(problem.bin && std::ssize(duals.rows) == problem.rows() &&
                  std::ssize(duals.columns) == problem.columns() && polish.iterations >= 0 &&
                  polish.threshold > 0,
              "sparse_polish: no dustbins, or shapes do not fit");
  Iterate<T> iterate = keep_entries(problem, polish.threshold, duals);
  std::vector<T> row_sums(iterate.u.size()), column_sums(iterate.v.size());
  iterate.row_sums(row_sums);
  iterate.column_sums(column_sums);
  const std::vector<double> dropped = dropped_shares(iterate, row_sums);
  PolishEvidence evidence;
  double points = 0;
  for (std::size_t i = 0; i < dropped.size(); ++i) {
    points += iterate.row_lives(i) ? 1 : 0;
    evidence.most_dropped = std::max(evidence.most_dropped, dropped[i]);
  }
  points = std::max(points, 1.0);
  evidence.entries_per_row = static_cast<double>(iterate.by_rows.columns.size()) / points;
  evidence.polished = keeps_enough<T>(problem.row_marginals, row_sums, polish.threshold) &&
                      keeps_enough<T>(problem.column_marginals, column_sums, polish.threshold);
  if (evidence.polished)
    for (int k = 0; k < polish.iterations; ++k) {
      iterate.update_columns();
      iterate.update_rows();
    }
  const auto largest_v = static_cast<double>(*std::ranges::max_element(iterate.v));
  for (std::size_t i = 0; i < dropped.size(); ++i) {
    evidence.dropped_mass += dropped[i] / points;
    evidence.dropped_bound += dropped[i] * static_cast<double>(iterate.u[i]) * largest_v / points;
  }
  evidence.column_error = points_column_error(iterate);
  write_result(iterate, duals, plan);
  return evidence;
}

#define ASAP_INSTANTIATE(T)                                                                 \
  template PolishEvidence sparse_polish<T>(const TransportProblem<T>&, const SparsePolish&, \
                                           const TransportDuals<T>&, SparsePlan<T>&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
