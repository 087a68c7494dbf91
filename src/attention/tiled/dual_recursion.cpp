#include "attention/tiled/dual_recursion.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "attention/tiled/fast_features.h"
#include "attention/tiled/tile_operands.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

/// g_j - max g with g of mean_query_scores, the start of the teacher's loop: [M]
tensor::VectorView<float> first_exponents(const AttentionHead<float>& head, tensor::Arena& arena) {
  const tensor::VectorView<float> exponents = mean_query_scores(head, arena);
  const float largest = tensor::maximum<float>(exponents);
  for (float& value : exponents) value -= largest;
  return exponents;
}

}  // namespace

DualRecursion::DualRecursion(const DualMap<float>& map, const AttentionHead<float>& head,
                             const TiledHead& tiled, tensor::Arena& arena)
    : map_(map), head_(head), tiled_(tiled), arena_(arena) {
  const int corrections = map.features.corrections;
  const std::int64_t rows = tiled.padded_rows();
  known_ = arena.matrix<float>(corrections + 1, rows);
  differences_ = arena.matrix<float>(corrections, rows);
  dual_ = arena.vector<float>(rows);
  lse_weights_ = arena.vector<float>(corrections + 1);
  first_weights_ = arena.vector<float>(corrections + 1);
  for (int t = 0; t <= corrections; ++t) {
    const ScoreWeights weights = score_weights(map, t);
    lse_weights_[t] = weights.log_sum_exp;
    first_weights_[t] = weights.first_dual;
  }
  if (map.features.log_sum_exp) lse_ = arena.vector<float>(rows);
  if (map.features.first_dual) first_ = arena.vector<float>(rows);
  predict_before_scores(map, head, tiled, known_, arena);
  std::ranges::copy(known_.row(0), dual_.begin());
  std::fill(dual_.begin() + tiled.n, dual_.end(), -std::numeric_limits<float>::infinity());
}

tensor::VectorView<const float> DualRecursion::second_factors() {
  if (!first_.empty() && second_factors_.empty()) {
    first_exponents_ = first_exponents(head_, arena_);
    second_factors_ = arena_.vector<float>(tiled_.padded_keys());
    exp2_values(first_exponents_, second_factors_.first(first_exponents_.size()));
    std::fill(second_factors_.begin() + tiled_.m, second_factors_.end(), 0.0f);
  }
  return second_factors_;
}

void DualRecursion::add_score_features(int stage, std::int64_t first, std::int64_t count) {
  const std::int64_t end = first + count;
  if (!lse_.empty())
    for (std::int64_t i = first; i < end; ++i) dual_[i] += lse_weights_[stage] * lse_[i];
  if (!first_.empty())
    for (std::int64_t i = first; i < end; ++i) dual_[i] += first_weights_[stage] * first_[i];
}

/// Minus the logarithm of the second sum of a row, without its range. Rare, so it may allocate.
float DualRecursion::exact_first_dual(std::int64_t row) const {
  const float root = std::sqrt(head_.scale * std::numbers::log2e_v<float>);
  const tensor::VectorView<const float> x = tiled_.x.row(row);
  std::vector<float> exponents(first_exponents_.size());
  for (std::size_t j = 0; j < exponents.size(); ++j)
    exponents[j] = root * tensor::dot<float>(x, head_.keys.row(static_cast<std::int64_t>(j))) +
                   first_exponents_[j];
  const float largest = tensor::maximum<float>(exponents);
  for (float& exponent : exponents) exponent -= largest;
  exp2_values(exponents, exponents);
  return tensor::dot<float>(x, tiled_.key_mean) - largest -
         std::log2(tensor::sum<float>(exponents));
}

void DualRecursion::start(std::int64_t first, std::int64_t count,
                          tensor::VectorView<const float> row_offset, const float* row_sums,
                          float* log_weights) {
  const auto size = static_cast<std::size_t>(round_up(count, kTilePadding));
  if (map_.features.start) {
    log2_values({row_sums, size}, {log_weights, size});
    for (std::int64_t i = 0; i < count; ++i) {
      log_weights[i] = -log_weights[i];
      dual_[first + i] = row_offset[first + i] + log_weights[i];
    }
    return;
  }
  // The features are first duals: minus the logarithms of sums without offset.
  if (!lse_.empty()) {
    log2_values({row_sums, size}, {log_weights, size});
    for (std::int64_t i = 0; i < count; ++i)
      lse_[first + i] = row_offset[first + i] - log_weights[i];
  }
  if (!first_.empty()) {
    log2_values({row_sums + kRowVector, size}, {log_weights, size});
    for (std::int64_t i = 0; i < count; ++i)
      first_[first + i] = sum_in_range(row_sums[kRowVector + i])
                              ? row_offset[first + i] - log_weights[i]
                              : exact_first_dual(first + i);
  }
  add_score_features(0, first, count);
  for (std::int64_t i = 0; i < count; ++i)
    log_weights[i] = dual_[first + i] - row_offset[first + i];
}

void DualRecursion::correct(int stage, std::int64_t first, std::int64_t count,
                            tensor::VectorView<const float> row_offset, const float* row_sums,
                            float* log_weights) {
  const auto size = static_cast<std::size_t>(round_up(count, kTilePadding));
  const tensor::VectorView<const float> weights = map_.difference_weights(stage);
  float* difference = differences_.row(stage - 1).data() + first;
  float* dual = dual_.data() + first;
  const float* known = known_.row(stage).data() + first;
  log2_values({row_sums, size}, {log_weights, size});
  for (std::int64_t i = 0; i < count; ++i) {
    const float updated = row_offset[first + i] - log_weights[i];
    difference[i] = updated - dual[i];
    log_weights[i] = row_offset[first + i];  // `row_offset` may be the dual itself
    dual[i] = updated + known[i];
  }
  for (int s = 0; s < stage; ++s) {
    const float* earlier = differences_.row(s).data() + first;
    for (std::int64_t i = 0; i < count; ++i) dual[i] += weights[s] * earlier[i];
  }
  add_score_features(stage, first, count);
  for (std::int64_t i = 0; i < count; ++i) log_weights[i] = dual[i] - log_weights[i];
}

}  // namespace asap::attention
