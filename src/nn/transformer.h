#pragma once

#include <memory>
#include <vector>

#include "nn/convolutions.h"
#include "nn/input_embedding.h"
#include "nn/perceptron.h"

namespace asap::nn {

/// Transformer encoder that classifies, with any attention kind: an embedding of images (Vision
/// Transformer, Dosovitskiy et al. 2021), token ids or points, encoder layers, mean pooling
/// or a class token or one answer per token, perhaps a pooler (linear and tanh), a linear head.
/// Padded tokens have no effect. A model of kind mlp has none of this: it is a Perceptron; one of
/// kind convolutional is a Perceptron behind Convolutions.
template <class T>
class Transformer {
 public:
  /// A complete config (see ModelConfig::validate_complete). `seed` decides the initial parameters.
  Transformer(const config::ModelConfig& config, std::uint64_t seed);
  Transformer(const Transformer&) = delete;
  Transformer& operator=(const Transformer&) = delete;

  /// Logits [B, classes], or [B, N, classes] with Pooling::none; those of padded tokens are
  /// undefined. What `input` views must outlive the pass.
  autodiff::Var<T> forward(PassContext<T>& pass, const config::ModelInput<T>& input) const;

  /// The learned activations, layer by layer; none without model.feed_forward.kind = region.
  std::vector<const RegionActivation<T>*> regions() const;
  /// Whether their weights are trained themselves. At first the peaks are, and weights follow.
  bool regions_released() const { return regions_released_; }
  void release_regions(bool released) { regions_released_ = released; }
  /// Sets all weights to those that the peaks define; needed whenever peaks have changed.
  void settle_regions();

  autodiff::ParameterStore<T>& parameters() { return parameters_; }
  const autodiff::ParameterStore<T>& parameters() const { return parameters_; }
  const config::ModelConfig& config() const { return config_; }

 private:
  config::ModelConfig config_;
  bool regions_released_ = false;
  autodiff::ParameterStore<T> parameters_;
  std::unique_ptr<Convolutions<T>> convolutions_;  // of kind convolutional
  std::unique_ptr<Perceptron<T>> perceptron_;      // without attention; the rest is null then
  std::unique_ptr<attention::TrainableAttention<T>> kind_;
  std::unique_ptr<InputEmbedding<T>> embedding_;
  std::vector<EncoderLayer<T>> layers_;
  std::unique_ptr<LayerNorm<T>> final_norm_;  // null with post-LN
  std::unique_ptr<Linear<T>> pooler_;         // null without
  std::unique_ptr<Linear<T>> head_;
};

}  // namespace asap::nn
