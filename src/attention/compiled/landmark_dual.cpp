#include "attention/compiled/landmark_dual.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "transport/c_transform.h"

namespace asap::attention {
namespace {

/// The keys of one example as clusters: only those that have keys.
template <class T>
struct KeyClusters {
  tensor::MatrixView<T> centres;  // c: [count, D]
  tensor::VectorView<T> sizes;    // b: [count]
  tensor::VectorView<T> start;    // c . √score_scale q̄: [count]
};

/// nearest_j: the prototype with the smallest |y_j - p|, that is the largest y_j . p - |p|² / 2.
template <class T>
void assign_keys(tensor::MatrixView<const T> keys, tensor::MatrixView<const T> prototypes,
                 tensor::VectorView<std::int32_t> nearest, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t count = prototypes.rows;
  const tensor::MatrixView<T> closeness = scratch.matrix<T>(keys.rows, count);
  const tensor::VectorView<T> half_norms = scratch.vector<T>(count);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), keys, prototypes, T(0),
                  closeness);
  for (std::int64_t p = 0; p < count; ++p)
    half_norms[p] = tensor::dot<T>(prototypes.row(p), prototypes.row(p)) / 2;
  for (std::int64_t j = 0; j < keys.rows; ++j) {
    const T* row = closeness.row(j).data();
    std::int32_t best = 0;
    for (std::int32_t p = 1; p < count; ++p)
      if (row[p] - half_norms[p] > row[best] - half_norms[best]) best = p;
    nearest[j] = best;
  }
}

template <class T>
KeyClusters<T> cluster_keys(const CentredHead<T>& head, tensor::MatrixView<const T> prototypes,
                            tensor::Arena& scratch) {
  const std::int64_t most = prototypes.rows, width = head.y.cols;
  const tensor::MatrixView<T> centres = scratch.matrix<T>(most, width);
  const tensor::VectorView<T> sizes = scratch.vector<T>(most), start = scratch.vector<T>(most);
  const tensor::VectorView<std::int32_t> nearest = scratch.vector<std::int32_t>(head.y.rows);
  assign_keys<T>(head.y, prototypes, nearest, scratch);
  std::ranges::fill(sizes, T(0));
  for (std::int64_t p = 0; p < most; ++p) std::ranges::fill(centres.row(p), T(0));
  for (std::int64_t j = 0; j < head.y.rows; ++j) {
    sizes[nearest[j]] += 1;
    tensor::axpy<T>(T(1), head.y.row(j), centres.row(nearest[j]));
  }
  std::int64_t count = 0;
  for (std::int64_t p = 0; p < most; ++p) {
    if (sizes[p] == 0) continue;
    tensor::scale<T>(1 / sizes[p], centres.row(p), centres.row(count));
    sizes[count] = sizes[p];
    start[count] = tensor::dot<T>(centres.row(count), head.query_mean);
    ++count;
  }
  return {centres.block(0, 0, count, width), sizes.first(static_cast<std::size_t>(count)),
          start.first(static_cast<std::size_t>(count))};
}

/// The dual that the rows start from: x . √score_scale k̄.
template <class T>
T row_start(const CentredHead<T>& head, std::int64_t row) {
  return tensor::dot<T>(head.x.row(row), head.key_mean);
}

/// u = exp(row_start + shift), up to a factor.
template <class T>
void start_rows(const CentredHead<T>& head, tensor::VectorView<const double> shift,
                tensor::VectorView<double> u) {
  for (std::int64_t i = 0; i < head.x.rows; ++i) u[i] = row_start(head, i) + shift[i];
  const double largest = tensor::maximum<double>(u);
  for (double& value : u) value = std::exp(value - largest);
}

/// False, with an undefined result, where the scalings left the range of double. One row of the
/// Gibbs kernel per cluster: the vectors are over queries, of which there are more.
template <class T>
bool exp_domain_dual(const CentredHead<T>& head, const KeyClusters<T>& clusters,
                     const Landmarks<T>& landmarks, tensor::VectorView<T> out,
                     tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t n = head.x.rows, count = clusters.centres.rows;
  const tensor::MatrixView<T> scores = scratch.matrix<T>(count, n);
  const tensor::MatrixView<double> gibbs = scratch.matrix<double>(count, n);
  const tensor::VectorView<double> shift = scratch.vector<double>(n), u = scratch.vector<double>(n),
                                   v = scratch.vector<double>(count);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), clusters.centres, head.x,
                  T(0), scores);
  std::ranges::fill(shift, -std::numeric_limits<double>::infinity());
  for (std::int64_t p = 0; p < count; ++p)
    for (std::int64_t i = 0; i < n; ++i) shift[i] = std::max<double>(shift[i], scores(p, i));
  for (std::int64_t p = 0; p < count; ++p) {
    for (std::int64_t i = 0; i < n; ++i) gibbs(p, i) = scores(p, i) - shift[i];
    tensor::exponential<double>(gibbs.row(p), gibbs.row(p));
    v[p] = clusters.start[p];
  }
  const double largest = tensor::maximum<double>(v);
  for (std::int64_t p = 0; p < count; ++p) v[p] = clusters.sizes[p] * std::exp(v[p] - largest);
  if (landmarks.starts_on_rows) start_rows(head, shift, u);
  for (int t = 0; t < landmarks.iterations; ++t) {
    if (t > 0 || landmarks.starts_on_rows)
      for (std::int64_t p = 0; p < count; ++p)
        v[p] = clusters.sizes[p] / tensor::dot<double>(gibbs.row(p), u);
    std::ranges::fill(u, 0.0);
    for (std::int64_t p = 0; p < count; ++p) tensor::axpy<double>(v[p], gibbs.row(p), u);
    for (double& value : u) value = 1 / value;
  }
  bool finite = true;
  for (std::int64_t i = 0; i < n; ++i) {
    const double dual = std::log(u[i]) - shift[i];
    finite = finite && std::isfinite(dual);
    out[i] = static_cast<T>(dual);
  }
  return finite;
}

template <class T>
void log_domain_dual(const CentredHead<T>& head, const KeyClusters<T>& clusters,
                     const Landmarks<T>& landmarks, tensor::VectorView<T> out,
                     tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t count = clusters.centres.rows;
  const tensor::MatrixView<T> scores = scratch.matrix<T>(head.x.rows, count);
  const tensor::VectorView<T> column_dual = scratch.vector<T>(count);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), head.x, clusters.centres,
                  T(0), scores);
  std::ranges::copy(clusters.start, column_dual.begin());
  if (landmarks.starts_on_rows)
    for (std::int64_t i = 0; i < head.x.rows; ++i) out[i] = row_start(head, i);
  for (int t = 0; t < landmarks.iterations; ++t) {
    if (t > 0 || landmarks.starts_on_rows)
      transport::column_c_transform<T>(scores, out, column_dual);
    for (std::int64_t p = 0; p < count; ++p) column_dual[p] += std::log(clusters.sizes[p]);
    transport::row_c_transform<T>(scores, column_dual, out);
  }
}

}  // namespace

template <class T>
void landmark_dual(const CentredHead<T>& head, const Landmarks<T>& landmarks,
                   tensor::VectorView<T> out, tensor::Arena& scratch) {
  base::check(landmarks.keys.rows > 0 && landmarks.keys.cols == head.y.cols &&
                  landmarks.iterations > 0 && std::ssize(out) == head.x.rows,
              "landmark_dual: shapes do not fit");
  const tensor::ArenaScope scope(scratch);
  const KeyClusters<T> clusters = cluster_keys(head, landmarks.keys, scratch);
  if (!exp_domain_dual(head, clusters, landmarks, out, scratch))
    log_domain_dual(head, clusters, landmarks, out, scratch);
}

template void landmark_dual<float>(const CentredHead<float>&, const Landmarks<float>&,
                                   tensor::VectorView<float>, tensor::Arena&);
template void landmark_dual<double>(const CentredHead<double>&, const Landmarks<double>&,
                                    tensor::VectorView<double>, tensor::Arena&);

}  // namespace asap::attention
