#pragma once

#include "infer/weights.h"
#include "config/model_config.h"
#include "config/model_input.h"
#include "tensor/core/arena.h"

namespace asap {

/// Makes token vectors of what a model reads, as nn/input_embedding.h does in training.
class EncoderEmbedding {
 public:
  /// DataError names a tensor that is missing or has another shape.
  EncoderEmbedding(const ModelConfig& config, const TensorFile& weights);

  /// Tokens that attention will see of each example, padding included: those of the input and the
  /// class token. InternalError when the input does not fit the model.
  std::int64_t tokens(const ModelInput<float>& input) const;

  /// Live ones among them, [B] in `arena`; empty = all.
  std::span<const std::int32_t> live(const ModelInput<float>& input, Arena& arena) const;

  /// out: [B * tokens(input), W].
  void apply(const ModelInput<float>& input, MatrixView<float> out, Arena& scratch) const;

 private:
  void embed(const ModelInput<float>& input, std::int64_t tokens, MatrixView<float> out,
             Arena& scratch) const;
  void embed_linearly(MatrixView<const float> features, std::int64_t examples,
                      MatrixView<float> out) const;

  ModelConfig config_;
  AffineWeights linear_;                          // of patches or points
  Tensor<float> token_, position_, class_token_;  // empty where the model has none
};

}  // namespace asap
