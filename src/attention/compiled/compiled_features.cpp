#include "attention/compiled/compiled_features.h"

#include <cmath>

#include "attention/compiled/landmark_dual.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/c_transform.h"
#include "transport/kantorovich_1d.h"

namespace asap::attention {
namespace {

/// out = √score_scale (tokens - mean), mean = √score_scale (mean of tokens)
template <class T>
void centre(tensor::MatrixView<const T> tokens, T score_scale, tensor::MatrixView<T> out,
            tensor::VectorView<T> mean) {
  const T root = std::sqrt(score_scale);
  tensor::column_sums<T>(tokens, mean, false);
  for (T& value : mean) value *= root / static_cast<T>(tokens.rows);
  for (std::int64_t i = 0; i < tokens.rows; ++i) {
    const T* from = tokens.row(i).data();
    T* to = out.row(i).data();
    for (std::int64_t d = 0; d < tokens.cols; ++d) to[d] = root * from[d] - mean[d];
  }
}

template <class T>
T mean_square(tensor::VectorView<const T> values) {
  return tensor::dot<T>(values, values) / static_cast<T>(values.size());
}

/// out_i = -x_i . sum_j softmax_j(y . query_mean) y_j: the slope at x = 0 of the first row dual
/// that a plain Sinkhorn start sees, whose keys are weighted by the mean query.
template <class T>
void tilt_feature(const CentredHead<T>& head, tensor::VectorView<T> out, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t keys = head.y.rows, width = head.y.cols;
  const tensor::VectorView<T> weights = scratch.vector<T>(keys),
                              tilted_mean = scratch.vector<T>(width);
  for (std::int64_t j = 0; j < keys; ++j)
    weights[j] = tensor::dot<T>(head.y.row(j), head.query_mean);
  tensor::softmax_rows<T>({weights.data(), 1, keys}, {weights.data(), 1, keys});
  for (T& value : tilted_mean) value = 0;
  for (std::int64_t j = 0; j < keys; ++j) tensor::axpy<T>(weights[j], head.y.row(j), tilted_mean);
  for (std::int64_t i = 0; i < head.x.rows; ++i)
    out[i] = -tensor::dot<T>(head.x.row(i), tilted_mean);
}

/// out = slices * tokensᵀ: [L, D] x [n, D] -> [L, n]
template <class T>
tensor::MatrixView<T> project(tensor::MatrixView<const T> slices,
                              tensor::MatrixView<const T> tokens, tensor::Arena& scratch) {
  const tensor::MatrixView<T> out = scratch.matrix<T>(slices.rows, tokens.rows);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), slices, tokens, T(0), out);
  return out;
}

/// Writes the features of all slices and returns their number.
template <class T>
std::int64_t slice_features(const DualMap<T>& map, const CentredHead<T>& head,
                            tensor::MatrixView<T> features, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t slices = map.query_slices.rows;
  const tensor::MatrixView<T> s = project<T>(map.query_slices, head.x, scratch);
  const tensor::MatrixView<T> t = map.features.potential || map.features.gaussian
                                      ? project<T>(map.key_slices, head.y, scratch)
                                      : tensor::MatrixView<T>();
  std::int64_t next = 0;
  if (map.features.potential)
    for (std::int64_t l = 0; l < slices; ++l)
      transport::kantorovich_potential_1d<T>(s.row(l), t.row(l), features.row(next++), scratch);
  if (map.features.gaussian)
    for (std::int64_t l = 0; l < slices; ++l) {
      const T curvature = gaussian_curvature(mean_square<T>(s.row(l)), mean_square<T>(t.row(l)));
      tensor::multiply<T>(s.row(l), s.row(l), features.row(next));
      tensor::scale<T>(T(-0.5) * curvature, features.row(next), features.row(next));
      ++next;
    }
  if (map.features.linear)
    for (std::int64_t l = 0; l < slices; ++l)
      tensor::scale<T>(T(1), s.row(l), features.row(next++));
  return next;
}

}  // namespace

template <class T>
GeneralMap<T>::GeneralMap(const DualMap<T>& other)
    : weights(other.weights.begin(), other.weights.end()), map(other) {
  if (!other.features.start) return;
  weights.assign(1, T(1));
  for (int t = 1; t <= other.features.corrections; ++t) {
    const tensor::VectorView<const T> differences = other.difference_weights(t);
    weights.insert(weights.end(), differences.begin(), differences.end());
    weights.push_back(T(0));
  }
  map.features.start = false;
  map.features.first_dual = true;
  map.weights = weights;
}

template <class T>
void first_row_dual(const CentredHead<T>& head, tensor::MatrixView<const T> scores,
                    tensor::VectorView<T> row_dual, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const tensor::VectorView<T> start = scratch.vector<T>(head.y.rows);
  for (std::int64_t j = 0; j < head.y.rows; ++j)
    start[j] = tensor::dot<T>(head.y.row(j), head.query_mean);
  transport::row_c_transform<T>(scores, start, row_dual);
}

template <class T>
CentredHead<T> centre_head(tensor::MatrixView<const T> queries, tensor::MatrixView<const T> keys,
                           T score_scale, tensor::Arena& arena) {
  base::check(queries.rows > 0 && keys.rows > 0 && queries.cols == keys.cols,
              "centre_head: empty head or widths differ");
  const std::int64_t width = queries.cols;
  const CentredHead<T> head{arena.matrix<T>(queries.rows, width), arena.matrix<T>(keys.rows, width),
                            arena.vector<T>(width), arena.vector<T>(width)};
  centre<T>(queries, score_scale, head.x, head.query_mean);
  centre<T>(keys, score_scale, head.y, head.key_mean);
  return head;
}

template <class T>
void dual_features(const DualMap<T>& map, const CentredHead<T>& head,
                   tensor::MatrixView<const T> scores, tensor::MatrixView<T> features,
                   tensor::Arena& scratch) {
  base::check(features.rows == map.feature_count() && features.cols == head.x.rows,
              "dual_features: shapes do not fit");
  std::int64_t next = 0;
  if (map.features.uses_slices()) next = slice_features(map, head, features, scratch);
  if (map.features.tilt) tilt_feature(head, features.row(next++), scratch);
  if (map.features.log_sum_exp) {
    tensor::log_sum_exp_rows<T>(scores, features.row(next));
    tensor::scale<T>(T(-1), features.row(next), features.row(next));
    ++next;
  }
  if (map.features.first_dual) first_row_dual<T>(head, scores, features.row(next++), scratch);
  if (map.features.landmarks > 0) landmark_dual(head, map.landmarks, features.row(next++), scratch);
}

#define ASAP_INSTANTIATE(T)                                                                        \
  template struct GeneralMap<T>;                                                                   \
  template void first_row_dual<T>(const CentredHead<T>&, tensor::MatrixView<const T>,              \
                                  tensor::VectorView<T>, tensor::Arena&);                          \
  template CentredHead<T> centre_head<T>(tensor::MatrixView<const T>, tensor::MatrixView<const T>, \
                                         T, tensor::Arena&);                                       \
  template void dual_features<T>(const DualMap<T>&, const CentredHead<T>&,                         \
                                 tensor::MatrixView<const T>, tensor::MatrixView<T>,               \
                                 tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
