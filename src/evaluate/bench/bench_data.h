#pragma once

#include "attention/interface/attention_batch.h"
#include "base/random.h"
#include "compile/activations.h"

namespace asap::evaluate {

/// Queries, keys and values of independent heads, heads side by side as a network packs them.
struct BenchBatch {
  std::int64_t examples = 0, heads = 0;         ///< B, H
  tensor::Tensor<float> queries, keys, values;  ///< [B * N, H * D] each

  attention::AttentionBatch<float> view() const {
    return {queries.rows(), keys.rows(), values.rows(), examples, heads};
  }
};

/// Source of a benchmark's queries and keys. Every token is a point of one of a few clusters
/// in a space of few dimensions, seen through one map by queries and another, correlated one by
/// keys, plus noise. Scores are then of low rank and as uneven as those of trained heads, and a
/// factor makes them as sharp.
///
/// One source stands for one trained head: its maps and clusters are a function of the seed, its
/// tokens of seed, stream and example.
class BenchSource {
 public:
  /// `logit_range`: the median over heads of max - min of the scores q . k / √width for `tokens`
  /// tokens.
  BenchSource(std::int64_t width, std::int64_t tokens, double logit_range, std::uint64_t seed);

  /// `count` heads in examples of at most four: [count / H * tokens, H * width]. Different streams
  /// are independent.
  BenchBatch draw(std::int64_t tokens, std::int64_t count, std::uint32_t stream) const;

  /// The same as activations of a Sinkhorn teacher with one head per example, to be compiled.
  compile::Activations activations(std::int64_t tokens, std::int64_t examples, int iterations,
                                   std::uint32_t stream) const;

  float score_scale() const { return score_scale_; }

 private:
  void fill_head(std::int64_t tokens, base::RandomStream& random, tensor::MatrixView<float> queries,
                 tensor::MatrixView<float> keys, tensor::MatrixView<float> values) const;
  void fill_tokens(base::RandomStream& random, const tensor::Tensor<float>& map,
                   tensor::MatrixView<float> tokens) const;

  std::int64_t width_;
  std::uint64_t seed_;
  float score_scale_;
  float sharpness_ = 1;                        // of queries and keys
  tensor::Tensor<float> clusters_;             // [clusters, rank]
  tensor::Tensor<float> query_map_, key_map_;  // [rank, D]
};

/// Median over heads of max - min of their scores; estimated from some of the queries of long
/// sequences.
double median_logit_range(const BenchBatch& batch, float score_scale);

/// Heads in one example when `count` of them are drawn: the largest of 4, 2, 1 that
/// divides it.
std::int64_t heads_per_example(std::int64_t count);

}  // namespace asap::evaluate
