#include "attention/fast_features.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "attention/tile_kernels.h"
#include "tensor/elementwise.h"
#include "tensor/gemm.h"
#include "tensor/row_ops.h"
#include "transport/kantorovich_1d.h"

namespace asap {
namespace {

/// Tokens projected on all slices and on one direction more, token by token: [tokens, padded],
/// centred.
struct Projections {
  MatrixView<float> values;
  VectorView<float> mean_square;  // [padded]
};

/// directions: [L, D] and the one behind them -> projections of factor tokens.
Projections project(MatrixView<const float> tokens, MatrixView<const float> slices,
                    std::int64_t count, float factor, VectorView<const float> last,
                    Arena& scratch) {
  const std::int64_t padded = round_up(count + 1, kTilePadding), inner = tokens.cols;
  const MatrixView<float> panel = scratch.matrix<float>(inner, padded);
  std::fill_n(panel.data, inner * padded, 0.0f);
  for (std::int64_t d = 0; d < inner; ++d) {
    for (std::int64_t l = 0; l < count; ++l) panel(d, l) = factor * slices(l, d);
    panel(d, count) = last[d];
  }
  const Projections p{scratch.matrix<float>(tokens.rows, padded), scratch.vector<float>(padded)};
  gemm<float>(Transpose::no, Transpose::no, 1, tokens, panel, 0, p.values);

  const VectorView<float> mean = scratch.vector<float>(padded);
  column_sums<float>(p.values, mean, false);
  for (float& value : mean) value /= static_cast<float>(tokens.rows);
  std::ranges::fill(p.mean_square, 0.0f);
  for (std::int64_t i = 0; i < tokens.rows; ++i) {
    float* row = p.values.row(i).data();
    for (std::int64_t l = 0; l < padded; ++l) {
      row[l] -= mean[l];
      p.mean_square[l] += row[l] * row[l];
    }
  }
  for (float& value : p.mean_square) value /= static_cast<float>(tokens.rows);
  return p;
}

/// -√score_scale (mean key under the weights that the mean query gives to the keys, less the mean
/// key): the slope of the feature `tilt`. scores: column `column` of the keys' projections.
VectorView<float> tilt_direction(const AttentionHead<float>& head, const Projections& keys,
                                 std::int64_t column, Arena& scratch) {
  const std::int64_t m = head.keys.rows, inner = head.keys.cols;
  const MatrixView<float> weights = scratch.matrix<float>(1, m);
  for (std::int64_t j = 0; j < m; ++j) weights(0, j) = keys.values(j, column);
  softmax_rows<float>(weights, weights);
  for (std::int64_t j = 0; j < m; ++j) weights(0, j) -= 1.0f / static_cast<float>(m);
  const MatrixView<float> direction = scratch.matrix<float>(1, inner);
  gemm<float>(Transpose::no, Transpose::no, -head.scale, weights, head.keys, 0, direction);
  return direction.row(0);
}

/// row_dual_i = sum_l s_il (linear_l + quadratic_l s_il)
void quadratic_form(const Projections& queries, VectorView<const float> linear,
                    VectorView<const float> quadratic, VectorView<float> row_dual) {
  for (std::int64_t i = 0; i < queries.values.rows; ++i) {
    const float* s = queries.values.row(i).data();
    float total = 0;
    for (std::size_t l = 0; l < linear.size(); ++l)
      total += s[l] * (linear[l] + quadratic[l] * s[l]);
    row_dual[i] = total;
  }
}

/// row_dual += sum_l weights_l potential_l
void add_potentials(const Projections& queries, const Projections& keys,
                    VectorView<const float> weights, VectorView<float> row_dual, Arena& scratch) {
  const ArenaScope scope(scratch);
  const std::int64_t n = queries.values.rows, m = keys.values.rows;
  const VectorView<float> s = scratch.vector<float>(n), potential = scratch.vector<float>(n);
  const VectorView<float> t = scratch.vector<float>(m);
  for (std::size_t l = 0; l < weights.size(); ++l) {
    for (std::int64_t i = 0; i < n; ++i) s[i] = queries.values(i, static_cast<std::int64_t>(l));
    for (std::int64_t j = 0; j < m; ++j) t[j] = keys.values(j, static_cast<std::int64_t>(l));
    kantorovich_potential_1d<float>(s, t, potential, scratch);
    axpy<float>(weights[l], potential, row_dual);
  }
}

}  // namespace

float predict_before_row_sums(const DualMap<float>& map, const AttentionHead<float>& head,
                              VectorView<float> row_dual, Arena& scratch) {
  const ArenaScope scope(scratch);
  const DualFeatures& features = map.features;
  const std::int64_t slices = features.uses_slices() ? map.query_slices.rows : 0;
  check(std::ssize(map.weights) == features.count(map.query_slices.rows),
        "predict_before_row_sums: one weight per feature expected");
  const float root = std::sqrt(head.scale);
  const VectorView<float> mean_query = scratch.vector<float>(head.queries.cols);
  column_sums<float>(head.queries, mean_query, false);
  for (float& value : mean_query) value *= head.scale / static_cast<float>(head.queries.rows);
  const Projections keys = project(head.keys, map.key_slices, slices, root, mean_query, scratch);
  const VectorView<float> tilt = tilt_direction(head, keys, slices, scratch);
  const Projections queries = project(head.queries, map.query_slices, slices, root, tilt, scratch);

  const auto size = static_cast<std::size_t>(slices);
  const VectorView<float> linear = scratch.vector<float>(queries.values.cols);
  const VectorView<float> quadratic = scratch.vector<float>(queries.values.cols);
  const VectorView<float> potential = scratch.vector<float>(slices);
  std::ranges::fill(linear, 0.0f);
  std::ranges::fill(quadratic, 0.0f);
  constexpr float kBase = std::numbers::log2e_v<float>;
  const float* weight = map.weights.data();
  if (features.potential)
    for (float& value : potential) value = kBase * *weight++;
  if (features.gaussian)
    for (std::size_t l = 0; l < size; ++l)
      quadratic[l] = -0.5f * kBase * *weight++ *
                     gaussian_curvature(queries.mean_square[l], keys.mean_square[l]);
  if (features.linear)
    for (std::size_t l = 0; l < size; ++l) linear[l] = kBase * *weight++;
  if (features.tilt) linear[size] = kBase * *weight++;
  quadratic_form(queries, linear, quadratic, row_dual);
  if (features.potential)
    add_potentials(queries, keys, potential,
                   row_dual.first(static_cast<std::size_t>(head.queries.rows)), scratch);
  return features.row_sum ? *weight : 0.0f;
}

}  // namespace asap
