#include "evaluate/bench/bench_data.h"

#include <algorithm>
#include <cmath>

#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kRank = 8;  // dimensions in which tokens differ
constexpr std::int64_t kClusters = 6;
constexpr double kDecay = 0.75;          // of the variance from one dimension to the next
constexpr double kSpread = 0.6;          // of tokens around their cluster
constexpr double kCorrelation = 0.7;     // of what queries and keys see of a dimension
constexpr double kNoise = 0.15;          // of every coordinate
constexpr std::int64_t kProbeHeads = 9;  // heads by which the sharpness is set
constexpr std::int64_t kProbeQueries = 1024;
constexpr std::uint32_t kProbeStream = 0xffffffff, kMapStream = 0xfffffffe;

}  // namespace

BenchSource::BenchSource(std::int64_t width, std::int64_t tokens, double logit_range,
                         std::uint64_t seed)
    : width_(width),
      seed_(seed),
      score_scale_(1 / std::sqrt(static_cast<float>(width))),
      clusters_({kClusters, kRank}),
      query_map_({kRank, width}),
      key_map_({kRank, width}) {
  base::RandomStream random(seed, base::RandomPurpose::generated_data, kMapStream);
  for (float& value : clusters_.flat()) value = static_cast<float>(random.normal());
  for (std::int64_t r = 0; r < kRank; ++r)
    for (std::int64_t c = 0; c < width; ++c) {
      const double size = std::pow(kDecay, static_cast<double>(r)), shared = random.normal();
      const double own = std::sqrt(1 - kCorrelation * kCorrelation) * random.normal();
      query_map_.rows()(r, c) = static_cast<float>(size * shared);
      key_map_.rows()(r, c) = static_cast<float>(size * (kCorrelation * shared + own));
    }
  const BenchBatch probe = draw(tokens, kProbeHeads, kProbeStream);
  sharpness_ = static_cast<float>(std::sqrt(logit_range / median_logit_range(probe, score_scale_)));
}

void BenchSource::fill_tokens(base::RandomStream& random, const tensor::Tensor<float>& map,
                              tensor::MatrixView<float> tokens) const {
  std::vector<float> point(kRank);
  for (std::int64_t i = 0; i < tokens.rows; ++i) {
    const std::int64_t cluster = static_cast<std::int64_t>(random.below(kClusters));
    for (std::int64_t r = 0; r < kRank; ++r)
      point[r] = clusters_.rows()(cluster, r) + static_cast<float>(kSpread * random.normal());
    for (float& value : tokens.row(i)) value = static_cast<float>(kNoise * random.normal());
    for (std::int64_t r = 0; r < kRank; ++r)
      tensor::axpy<float>(point[r], map.rows().row(r), tokens.row(i));
    tensor::scale<float>(sharpness_, tokens.row(i), tokens.row(i));
  }
}

void BenchSource::fill_head(std::int64_t tokens, base::RandomStream& random,
                            tensor::MatrixView<float> queries, tensor::MatrixView<float> keys,
                            tensor::MatrixView<float> values) const {
  base::check(queries.rows == tokens, "BenchSource: shapes do not fit");
  fill_tokens(random, query_map_, queries);
  fill_tokens(random, key_map_, keys);
  for (std::int64_t i = 0; i < values.rows; ++i)
    for (float& value : values.row(i)) value = static_cast<float>(random.normal());
}

BenchBatch BenchSource::draw(std::int64_t tokens, std::int64_t count, std::uint32_t stream) const {
  BenchBatch batch;
  batch.heads = heads_per_example(count);
  batch.examples = count / batch.heads;
  const tensor::Shape shape{batch.examples * tokens, batch.heads * width_};
  for (tensor::Tensor<float>* tensor : {&batch.queries, &batch.keys, &batch.values})
    *tensor = tensor::Tensor<float>(shape);
  for (std::int64_t index = 0; index < count; ++index) {
    base::RandomStream random(seed_, base::RandomPurpose::generated_data, stream,
                              static_cast<std::uint32_t>(index));
    const std::int64_t row = index / batch.heads * tokens, column = index % batch.heads * width_;
    fill_head(tokens, random, batch.queries.rows().block(row, column, tokens, width_),
              batch.keys.rows().block(row, column, tokens, width_),
              batch.values.rows().block(row, column, tokens, width_));
  }
  return batch;
}

compile::Activations BenchSource::activations(std::int64_t tokens, std::int64_t examples,
                                              int iterations, std::uint32_t stream) const {
  compile::Activations result;
  result.examples = examples;
  result.heads = 1;
  result.iterations = iterations;
  result.source = "generated queries and keys";
  compile::LayerActivations layer;
  const tensor::Shape shape{examples * tokens, width_};
  for (tensor::Tensor<float>* tensor : {&layer.queries, &layer.keys, &layer.values})
    *tensor = tensor::Tensor<float>(shape);
  for (std::int64_t example = 0; example < examples; ++example) {
    base::RandomStream random(seed_, base::RandomPurpose::generated_data, stream,
                              static_cast<std::uint32_t>(example));
    const std::int64_t row = example * tokens;
    fill_head(tokens, random, layer.queries.rows().block(row, 0, tokens, width_),
              layer.keys.rows().block(row, 0, tokens, width_),
              layer.values.rows().block(row, 0, tokens, width_));
  }
  layer.score_scales = {score_scale_};
  result.layers.push_back(std::move(layer));
  return result;
}

double median_logit_range(const BenchBatch& batch, float score_scale) {
  const attention::AttentionBatch<float> view = batch.view();
  std::vector<double> ranges;
  tensor::Arena scratch;
  for (std::int64_t index = 0; index < batch.examples * batch.heads; ++index) {
    const tensor::ArenaScope scope(scratch);
    const tensor::MatrixView<const float> all =
        view.head_queries(index / batch.heads, index % batch.heads);
    const tensor::MatrixView<const float> keys =
        view.head_keys(index / batch.heads, index % batch.heads);
    const std::int64_t rows = std::min(all.rows, kProbeQueries);
    const tensor::MatrixView<float> scores = scratch.matrix<float>(rows, keys.rows);
    tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::yes, score_scale,
                        all.block(0, 0, rows, all.cols), keys, 0.0F, scores);
    const auto [low, high] = std::minmax_element(scores.data, scores.data + rows * keys.rows);
    ranges.push_back(static_cast<double>(*high) - static_cast<double>(*low));
  }
  const auto middle = ranges.begin() + static_cast<std::ptrdiff_t>(ranges.size() / 2);
  std::nth_element(ranges.begin(), middle, ranges.end());
  return *middle;
}

std::int64_t heads_per_example(std::int64_t count) {
  return count % 4 == 0 ? 4 : count % 2 == 0 ? 2 : 1;
}

}  // namespace asap::evaluate
