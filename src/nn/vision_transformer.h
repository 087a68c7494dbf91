#pragma once

#include <memory>
#include <vector>

#include "io/model_config.h"
#include "nn/layers.h"

namespace asap {

/// Vision Transformer (Dosovitskiy et al. 2021) with any kind of attention: square patches, learned
/// positions, pre-LN encoder layers, mean pooling or a class token, a linear head.
template <class T>
class VisionTransformer {
 public:
  /// A complete config (see ModelConfig::validate_complete). `seed` decides the initial parameters.
  VisionTransformer(const ModelConfig& config, std::uint64_t seed);
  VisionTransformer(const VisionTransformer&) = delete;
  VisionTransformer& operator=(const VisionTransformer&) = delete;

  /// images: [B, C * H * W] -> logits [B, classes]. `images` must outlive the pass.
  Var<T> forward(PassContext<T>& pass, MatrixView<const T> images) const;

  ParameterStore<T>& parameters() { return parameters_; }
  const ParameterStore<T>& parameters() const { return parameters_; }
  const ModelConfig& config() const { return config_; }

 private:
  ModelConfig config_;
  ParameterStore<T> parameters_;
  std::unique_ptr<AttentionKernel<T>> kernel_;
  std::unique_ptr<Linear<T>> patch_;
  ParameterId position_, class_token_;
  std::vector<EncoderLayer<T>> layers_;
  std::unique_ptr<LayerNorm<T>> final_norm_;
  std::unique_ptr<Linear<T>> head_;
};

}  // namespace asap
