#include "attention/tiled/tiled_head.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "attention/tiled/tile_operands.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"

namespace asap::attention {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
/// 2^80 times any number of columns stays below the largest float, 2^128.
constexpr float kLargestExponent = 80;

void scaled_mean(tensor::MatrixView<const float> tokens, float factor,
                 tensor::VectorView<float> mean) {
  tensor::column_sums<float>(tokens, mean, false);
  for (float& value : mean) value *= factor / static_cast<float>(tokens.rows);
}

}  // namespace

TiledHead tile_head(const AttentionHead<float>& head, bool centred, tensor::Arena& arena) {
  base::check(head.queries.rows > 0 && head.keys.rows > 0 && head.queries.cols == head.keys.cols,
              "tile_head: empty head or widths differ");
  TiledHead tiled;
  tiled.n = head.queries.rows;
  tiled.m = head.keys.rows;
  tiled.inner = head.queries.cols;
  const float root = std::sqrt(head.scale * std::numbers::log2e_v<float>);
  tiled.query_mean = arena.vector<float>(tiled.inner);
  tiled.key_mean = arena.vector<float>(tiled.inner);
  scaled_mean(head.keys, root, tiled.key_mean);
  if (centred)
    scaled_mean(head.queries, root, tiled.query_mean);
  else
    std::ranges::fill(tiled.query_mean, 0.0f);
  float* packed = arena.take<float>(tiled.padded_keys() * tiled.inner);
  const float largest_key = pack_keys(head.keys, root, tiled.key_mean, packed);
  tiled.keys = packed;
  tiled.x = arena.matrix<float>(tiled.padded_rows(), tiled.inner);
  tiled.row_bound = arena.vector<float>(tiled.padded_rows());
  centre_queries(head.queries, root, tiled.query_mean, tiled.x, tiled.row_bound);
  for (float& bound : tiled.row_bound) bound *= largest_key;
  return tiled;
}

tensor::VectorView<float> mean_query_scores(const AttentionHead<float>& head,
                                            tensor::Arena& arena) {
  const std::int64_t m = head.keys.rows;
  const tensor::VectorView<float> scores = arena.vector<float>(m);
  const tensor::ArenaScope scope(arena);
  const tensor::MatrixView<float> mean = arena.matrix<float>(1, head.queries.cols);
  tensor::column_sums<float>(head.queries, mean.row(0), false);
  tensor::gemm<float>(
      tensor::Transpose::no, tensor::Transpose::yes,
      head.scale * std::numbers::log2e_v<float> / static_cast<float>(head.queries.rows), mean,
      head.keys, 0, {scores.data(), 1, m});
  return scores;
}

tensor::VectorView<float> safe_row_offsets(const TiledHead& head, tensor::Arena& arena) {
  const tensor::VectorView<float> offsets = arena.vector<float>(head.padded_rows());
  for (std::int64_t i = 0; i < head.n; ++i)
    offsets[i] = -std::max(0.0f, head.row_bound[i] - kLargestExponent);
  std::fill(offsets.begin() + head.n, offsets.end(), kMinusInfinity);
  return offsets;
}

tensor::VectorView<float> zero_column_offsets(const TiledHead& head, tensor::Arena& arena) {
  const tensor::VectorView<float> offsets = arena.vector<float>(head.padded_keys());
  std::fill(offsets.begin(), offsets.begin() + head.m, 0.0f);
  std::fill(offsets.begin() + head.m, offsets.end(), kMinusInfinity);
  return offsets;
}

}  // namespace asap::attention
