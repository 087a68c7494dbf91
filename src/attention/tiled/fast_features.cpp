#include "attention/tiled/fast_features.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "attention/tiled/landmark_kernels.h"
#include "attention/tiled/tile_operands.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/kantorovich_1d.h"
#include "transport/potential_lanes.h"

namespace asap::attention {
namespace {

/// Tokens projected on some directions, each projection centred over the tokens: [directions,
/// tokens].
struct Projections {
  tensor::MatrixView<float> values;
  tensor::VectorView<float> mean_square;  // [directions]
};

/// Projections of factor tokens on slices: [L, D], and of tokens on `last` behind them.
Projections project(tensor::MatrixView<const float> tokens, tensor::MatrixView<const float> slices,
                    std::int64_t count, float factor, tensor::VectorView<const float> last,
                    tensor::Arena& scratch) {
  const std::int64_t padded = round_up(tokens.rows, kTilePadding);
  const tensor::MatrixView<float> directions = scratch.matrix<float>(count + 1, tokens.cols);
  for (std::int64_t l = 0; l < count; ++l)
    tensor::scale<float>(factor, slices.row(l), directions.row(l));
  std::ranges::copy(last, directions.row(count).begin());
  const tensor::MatrixView<float> all = scratch.matrix<float>(count + 1, padded);
  project_tokens(tokens, directions, all, scratch);

  const Projections p{all.block(0, 0, count + 1, tokens.rows), scratch.vector<float>(count + 1)};
  for (std::int64_t l = 0; l <= count; ++l) {
    const tensor::VectorView<float> line = p.values.row(l);
    const float mean = tensor::sum<float>(line) / static_cast<float>(tokens.rows);
    for (float& value : line) value -= mean;
    p.mean_square[l] = tensor::dot<float>(line, line) / static_cast<float>(tokens.rows);
  }
  return p;
}

/// -score_scale (mean key under the weights that the mean query gives to the keys, less the mean
/// key): the slope of the feature `tilt` over the queries. scores: of the mean query, [m]; used up.
tensor::VectorView<float> tilt_direction(const AttentionHead<float>& head,
                                         tensor::VectorView<float> scores, tensor::Arena& scratch) {
  const std::int64_t m = head.keys.rows, inner = head.keys.cols;
  const tensor::MatrixView<float> weights(scores.data(), 1, m);
  tensor::softmax_rows<float>(weights, weights);
  for (float& weight : scores) weight -= 1.0f / static_cast<float>(m);
  const tensor::MatrixView<float> direction = scratch.matrix<float>(1, inner);
  tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::no, -head.scale, weights, head.keys,
                      0, direction);
  return direction.row(0);
}

/// row_dual += sum_l weights_l potential_l
void add_potential_sum(const Projections& queries, const Projections& keys,
                       tensor::VectorView<const float> weights, tensor::VectorView<float> row_dual,
                       tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const auto slices = std::ssize(weights);
  const std::int64_t n = queries.values.cols, m = keys.values.cols;
  if (std::max(n, m) <= transport::kLongestLaneSample) {
    for (std::int64_t l = 0; l < slices; l += transport::kPotentialLanes) {
      const std::int64_t count = std::min(transport::kPotentialLanes, slices - l);
      transport::add_kantorovich_potentials(
          queries.values.block(l, 0, count, n), keys.values.block(l, 0, count, m),
          weights.subspan(static_cast<std::size_t>(l), static_cast<std::size_t>(count)), row_dual,
          scratch);
    }
    return;
  }
  const tensor::VectorView<float> potential = scratch.vector<float>(n);
  for (std::int64_t l = 0; l < slices; ++l) {
    transport::kantorovich_potential_1d<float>(queries.values.row(l), keys.values.row(l), potential,
                                               scratch);
    tensor::axpy<float>(weights[static_cast<std::size_t>(l)], potential, row_dual);
  }
}

/// Weights of the features of one stage in base 2, ordered by what they multiply.
struct Coefficients {
  tensor::VectorView<float> potential;  // [L]
  tensor::VectorView<float> linear;     // [L + 1], the last of the tilt
  tensor::VectorView<float> quadratic;  // [L]
  float landmark = 0;                   // of a dual in base 2
};

constexpr float kBase = std::numbers::log2e_v<float>;

Coefficients coefficients(const DualMap<float>& map, int stage, std::int64_t slices,
                          tensor::Arena& scratch) {
  const DualFeatures& features = map.features;
  const tensor::VectorView<const float> weights = map.feature_weights(stage);
  const float* weight = weights.data();
  Coefficients c{scratch.vector<float>(slices), scratch.vector<float>(slices + 1),
                 scratch.vector<float>(slices)};
  const auto next = [&](bool used) { return used ? kBase * *weight++ : 0.0f; };
  for (float& value : c.potential) value = next(features.potential);
  for (float& value : c.quadratic) value = next(features.gaussian);
  for (float& value : c.linear.first(c.potential.size())) value = next(features.linear);
  c.linear.back() = next(features.tilt);
  c.landmark = features.landmarks > 0 ? weights.back() : 0.0f;
  return c;
}

/// known_t += sum_l c_t,l potential_l: one sort serves all stages.
void add_potentials(const Projections& queries, const Projections& keys,
                    tensor::VectorView<const Coefficients> stages, tensor::MatrixView<float> known,
                    tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  if (stages.size() == 1)
    return add_potential_sum(queries, keys, stages[0].potential, known.row(0), scratch);
  const tensor::VectorView<float> potential = scratch.vector<float>(known.cols);
  for (std::int64_t l = 0; l < std::ssize(stages[0].potential); ++l) {
    transport::kantorovich_potential_1d<float>(queries.values.row(l), keys.values.row(l), potential,
                                               scratch);
    for (std::int64_t t = 0; t < known.rows; ++t)
      tensor::axpy<float>(stages[t].potential[l], potential, known.row(t));
  }
}

/// The features of slices and the tilt, which are functions of projections.
void add_projected(const DualMap<float>& map, const AttentionHead<float>& head,
                   tensor::VectorView<const Coefficients> stages, tensor::MatrixView<float> known,
                   tensor::Arena& scratch) {
  const std::int64_t slices = std::ssize(stages[0].potential);
  const float root = std::sqrt(head.scale);
  const tensor::VectorView<float> mean_query = scratch.vector<float>(head.queries.cols);
  tensor::column_sums<float>(head.queries, mean_query, false);
  for (float& value : mean_query) value *= head.scale / static_cast<float>(head.queries.rows);
  const Projections keys = project(head.keys, map.key_slices, slices, root, mean_query, scratch);
  const tensor::VectorView<float> tilt = tilt_direction(head, keys.values.row(slices), scratch);
  const Projections queries = project(head.queries, map.query_slices, slices, root, tilt, scratch);
  for (std::int64_t l = 0; l <= slices; ++l) {
    const float curvature =
        l == slices ? 0 : -0.5f * gaussian_curvature(queries.mean_square[l], keys.mean_square[l]);
    const float* s = queries.values.row(l).data();
    for (std::int64_t t = 0; t < known.rows; ++t) {
      const float linear = stages[t].linear[l];
      const float quadratic = l == slices ? 0 : curvature * stages[t].quadratic[l];
      float* dual = known.row(t).data();
      for (std::int64_t i = 0; i < known.cols; ++i) dual[i] += s[i] * (linear + quadratic * s[i]);
    }
  }
  if (map.features.potential) add_potentials(queries, keys, stages, known, scratch);
}

}  // namespace

ScoreWeights score_weights(const DualMap<float>& map, int stage) {
  const DualFeatures& features = map.features;
  const float* weight =
      map.feature_weights(stage).data() +
      (map.feature_count() - (features.landmarks > 0) - features.first_dual - features.log_sum_exp);
  ScoreWeights weights;
  if (features.log_sum_exp) weights.log_sum_exp = *weight++;
  if (features.first_dual) weights.first_dual = *weight;
  return weights;
}

void predict_before_scores(const DualMap<float>& map, const AttentionHead<float>& head,
                           const TiledHead& tiled, tensor::MatrixView<float> known,
                           tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  base::check(std::ssize(map.weights) == map.features.weight_count(map.slices()) &&
                  known.rows == map.features.corrections + 1,
              "predict_before_scores: the number of weights or stages does not fit");
  const std::int64_t slices = map.features.uses_slices() ? map.slices() : 0;
  const tensor::MatrixView<float> duals = known.block(0, 0, known.rows, head.queries.rows);
  const tensor::VectorView<Coefficients> stages{scratch.take<Coefficients>(known.rows),
                                                static_cast<std::size_t>(known.rows)};
  for (int t = 0; t < known.rows; ++t) {
    std::ranges::fill(duals.row(t), 0.0f);
    stages[t] = coefficients(map, t, slices, scratch);
  }
  if (slices > 0 || map.features.tilt) add_projected(map, head, stages, duals, scratch);
  if (map.features.landmarks == 0) return;
  const tensor::VectorView<float> dual = scratch.vector<float>(tiled.n);
  tiled_landmark_dual(map.landmarks, head, tiled, dual, scratch);
  for (int t = 0; t < known.rows; ++t) tensor::axpy<float>(stages[t].landmark, dual, duals.row(t));
}

}  // namespace asap::attention
