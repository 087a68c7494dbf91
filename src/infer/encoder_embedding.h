#pragma once

#include "config/model_config.h"
#include "config/model_input.h"
#include "infer/weights.h"
#include "tensor/core/arena.h"

namespace asap::infer {

/// Turns what a model reads into token vectors, as nn/input_embedding.h does in training.
class EncoderEmbedding {
 public:
  /// DataError names a tensor that is missing or has another shape.
  EncoderEmbedding(const config::ModelConfig& config, const io::TensorFile& weights);

  /// Tokens that attention will see of each example, padding included: those of the input and the
  /// class token. InternalError when the input does not fit the model.
  std::int64_t tokens(const config::ModelInput<float>& input) const;

  /// Live ones among them, [B] in `arena`; empty = all.
  std::span<const std::int32_t> live(const config::ModelInput<float>& input,
                                     tensor::Arena& arena) const;

  /// out: [B * tokens(input), W].
  void apply(const config::ModelInput<float>& input, tensor::MatrixView<float> out,
             tensor::Arena& scratch) const;

 private:
  void embed(const config::ModelInput<float>& input, std::int64_t tokens,
             tensor::MatrixView<float> out, tensor::Arena& scratch) const;
  void embed_texts(const config::ModelInput<float>& input, std::int64_t tokens,
                   tensor::MatrixView<float> out) const;
  void embed_linearly(tensor::MatrixView<const float> features, std::int64_t examples,
                      tensor::MatrixView<float> out) const;

  config::ModelConfig config_;
  AffineWeights linear_;                          // of patches or points
  AffineWeights norm_;                            // empty without
  tensor::Tensor<float> token_, segment_;         // empty where the model has none
  tensor::Tensor<float> position_, class_token_;  // likewise
};

}  // namespace asap::infer
