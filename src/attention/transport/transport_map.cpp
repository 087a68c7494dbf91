#include "attention/transport/transport_map.h"

#include <algorithm>
#include <cmath>

#include "attention/stored/scaling_kernels.h"
#include "attention/transport/transport_layer.h"
#include "attention/transport/transport_log_domain.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/two_largest.h"

namespace asap::attention {
namespace {

constexpr int kHinges = 9;
constexpr double kFirstHinge = -12, kHingeDistance = 3;

/// Everything that the features of all points share, and the numbers of live points.
struct LiveSizes {
  double log_rows, log_columns;
};

std::array<double, kTransportFeatures> point_features(double z,
                                                      const tensor::TwoLargest<double>& best,
                                                      const LiveSizes& sizes) {
  std::array<double, kTransportFeatures> out;
  out[0] = z;
  for (int k = 0; k < kHinges; ++k)
    out[1 + k] = std::max(0.0, z - (kFirstHinge + kHingeDistance * k));
  out[kHinges + 1] = 1 / (1 + std::exp(-z));
  out[kHinges + 2] = sizes.log_rows;
  out[kHinges + 3] = sizes.log_columns;
  out[kHinges + 4] = best.first;
  out[kHinges + 5] = best.second;
  out[kHinges + 6] = 1;
  return out;
}

/// The live part of a problem with dustbins: its last row and column are the dustbins'.
template <class T>
class LiveProblem {
 public:
  LiveProblem(const TransportProblem<T>& problem, tensor::Arena& arena)
      : problem_(problem), gibbs_(allocate_gibbs(problem, arena)) {
    base::check(problem.bin.has_value(), "transport map: a problem without dustbins");
    if (!has_points()) return;
    best_ = arena.vector<tensor::TwoLargest<double>>(points());
    load();
    for (std::int64_t i = 0; i < points(); ++i) {
      const auto best = tensor::two_largest<T>(gibbs_.entries.row(i).first(columns()));
      // A single score is both.
      best_[i] = {static_cast<double>(best.first),
                  static_cast<double>(columns() == 1 ? best.first : best.second)};
    }
    sizes_ = {std::log(static_cast<double>(points())), std::log(static_cast<double>(columns()))};
  }

  /// Both sets have a point; then the dustbins have a mass, too.
  bool has_points() const {
    return gibbs_.entries.rows > 1 && gibbs_.entries.cols > 1 &&
           gibbs_.row_index.back() == problem_.scores.rows &&
           gibbs_.column_index.back() == problem_.scores.cols;
  }
  std::int64_t points() const { return gibbs_.entries.rows - 1; }
  std::size_t columns() const { return static_cast<std::size_t>(gibbs_.entries.cols - 1); }
  const TransportGibbs<T>& gibbs() const { return gibbs_; }
  void load() const { load_scores(problem_, gibbs_); }

  /// first_dual: of all live rows, [n]; calls body(point, features).
  template <class Body>
  void for_each_point(tensor::VectorView<const T> first_dual, const Body& body) const {
    for (std::int64_t i = 0; i < points(); ++i)
      body(i, point_features(static_cast<double>(first_dual[i] - first_dual.back()), best_[i],
                             sizes_));
  }

  /// dual: [n], first the first row dual, then the predicted one, 0 for the dustbin.
  void predict(const TransportMap& map, tensor::VectorView<T> dual) const {
    for_each_point(dual, [&](std::int64_t i, const auto& features) {
      double sum = 0;
      for (int p = 0; p < kTransportFeatures; ++p) sum += map.weights[p] * features[p];
      dual[i] = static_cast<T>(sum);
    });
    dual.back() = T(0);
  }

 private:
  const TransportProblem<T>& problem_;
  TransportGibbs<T> gibbs_;
  tensor::VectorView<tensor::TwoLargest<double>> best_;
  LiveSizes sizes_{};
};

/// log u + r
template <class T>
void log_scalings(tensor::VectorView<const T> scalings, tensor::VectorView<const T> shift,
                  tensor::VectorView<T> out) {
  for (std::size_t i = 0; i < scalings.size(); ++i) out[i] = std::log(scalings[i]) + shift[i];
}

/// u = exp(f - r), times the constant that makes the largest of them 1.
template <class T>
void scalings_of(tensor::VectorView<const T> dual, tensor::VectorView<const T> shift,
                 tensor::VectorView<T> u) {
  for (std::size_t i = 0; i < dual.size(); ++i) u[i] = dual[i] - shift[i];
  const T largest = tensor::maximum<T>(u);
  for (T& exponent : u) exponent -= largest;
  tensor::exponential<T>(u, u);
}

/// mean over points of |column_sum_j v_j / b_j - 1|
template <class T>
double points_error(const TransportGibbs<T>& gibbs, tensor::VectorView<const T> column_sum,
                    tensor::VectorView<const T> v) {
  const std::size_t points = gibbs.column_marginals.size() - 1;
  double total = 0;
  for (std::size_t j = 0; j < points; ++j)
    total += std::abs(static_cast<double>(column_sum[j] * v[j] / gibbs.column_marginals[j]) - 1);
  return total / static_cast<double>(points);
}

/// The scalings of one computation. rows: [n], columns and column_sum: [padded m].
template <class T>
struct Scalings {
  tensor::VectorView<T> rows, columns, column_sum;
};

/// Returns false when the exp domain lost too much. Expects S in the entries.
template <class T>
bool close_in_exp_domain(const LiveProblem<T>& live, const TransportMap& map, int iterations,
                         const Scalings<T>& s, double& column_error) {
  const TransportGibbs<T>& gibbs = live.gibbs();
  exponentiate_scores<T>(gibbs, s.columns, s.rows, s.column_sum);
  log_scalings<T>(s.rows, gibbs.row_shift, s.rows);
  live.predict(map, s.rows);
  scalings_of<T>(s.rows, gibbs.row_shift, s.rows);
  weighted_column_sum<T>(gibbs.entries, s.rows, s.column_sum);
  LargestScalings largest{1, 0};
  for (int t = 0; t < iterations; ++t) {
    weighted_column_update<T>(gibbs, s.column_sum, s.columns);
    weighted_scaling_sweep<T>(gibbs.entries, s.columns, gibbs.row_marginals, s.rows, s.column_sum);
    largest.u = std::max(largest.u, static_cast<double>(tensor::maximum<T>(s.rows)));
    largest.v = std::max(largest.v, static_cast<double>(tensor::maximum<T>(s.columns)));
  }
  column_error = points_error<T>(gibbs, s.column_sum, s.columns);
  return trustworthy<T>(gibbs, largest, s.rows, s.columns);
}

/// The same in the log domain; s.rows and s.columns become duals.
template <class T>
void close_in_log_domain(const LiveProblem<T>& live, const TransportMap& map, int iterations,
                         const Scalings<T>& s, double& column_error) {
  const TransportGibbs<T>& gibbs = live.gibbs();
  live.load();
  const tensor::VectorView<T> g = s.columns.first(gibbs.column_marginals.size());
  const tensor::VectorView<T> sums = s.column_sum.first(g.size());
  std::ranges::fill(g, T(0));
  log_row_update<T>(gibbs, g, s.rows);
  live.predict(map, s.rows);
  for (int t = 0; t < iterations; ++t) {
    log_column_update<T>(gibbs, s.rows, g);
    log_row_update<T>(gibbs, g, s.rows);
  }
  // The column sums of the plan are b exp(g - g'), with g' the next column update.
  log_column_update<T>(gibbs, s.rows, sums);
  double total = 0;
  for (std::size_t j = 0; j + 1 < g.size(); ++j)
    total += std::abs(std::expm1(static_cast<double>(g[j] - sums[j])));
  column_error = total / static_cast<double>(g.size() - 1);
}

}  // namespace

template <class T>
void transport_features(const TransportProblem<T>& problem, tensor::MatrixView<double> out,
                        tensor::Arena& scratch) {
  base::check(out.rows == problem.scores.rows && out.cols == kTransportFeatures,
              "transport_features: shapes do not fit");
  const tensor::ArenaScope scope(scratch);
  for (std::int64_t i = 0; i < out.rows; ++i) std::ranges::fill(out.row(i), 0.0);
  const LiveProblem<T> live(problem, scratch);
  if (!live.has_points()) return;
  const TransportDuals<T> duals{scratch.vector<T>(problem.rows()),
                                scratch.vector<T>(problem.columns())};
  transport<T>(problem, 0, duals, scratch);
  const tensor::VectorView<const std::int64_t> index = live.gibbs().row_index;
  const tensor::VectorView<T> first = scratch.vector<T>(std::ssize(index));
  for (std::size_t k = 0; k < index.size(); ++k) first[k] = duals.rows[index[k]];
  live.for_each_point(first, [&](std::int64_t i, const auto& features) {
    std::ranges::copy(features, out.row(index[i]).begin());
  });
}

template <class T>
CompiledTransportEvidence compiled_transport(const TransportProblem<T>& problem,
                                             const TransportMap& map, int extra_iterations,
                                             const TransportDuals<T>& duals,
                                             tensor::Arena& scratch) {
  base::check(std::ssize(duals.rows) == problem.rows() &&
                  std::ssize(duals.columns) == problem.columns() && extra_iterations >= 0,
              "compiled_transport: shapes do not fit");
  const tensor::ArenaScope scope(scratch);
  const LiveProblem<T> live(problem, scratch);
  if (!live.has_points()) {
    transport<T>(problem, 1, duals, scratch);
    return {};
  }
  const std::int64_t stride = live.gibbs().entries.stride;
  const Scalings<T> scalings{scratch.vector<T>(live.points() + 1), scratch.vector<T>(stride),
                             scratch.vector<T>(stride)};
  CompiledTransportEvidence evidence;
  const int iterations = 1 + extra_iterations;
  evidence.log_domain =
      !close_in_exp_domain<T>(live, map, iterations, scalings, evidence.column_error);
  if (evidence.log_domain)
    close_in_log_domain<T>(live, map, iterations, scalings, evidence.column_error);
  write_duals<T>(live.gibbs(), evidence.log_domain, scalings.rows, scalings.columns, duals);
  return evidence;
}

#define ASAP_INSTANTIATE(T)                                                                   \
  template void transport_features<T>(const TransportProblem<T>&, tensor::MatrixView<double>, \
                                      tensor::Arena&);                                        \
  template CompiledTransportEvidence compiled_transport<T>(                                   \
      const TransportProblem<T>&, const TransportMap&, int, const TransportDuals<T>&,         \
      tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
