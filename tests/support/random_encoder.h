#pragma once

#include "data/images/shapes_dataset.h"
#include "evaluate/compare/comparison.h"
#include "nn/transformer.h"

namespace asap::test {

/// 40 images of drawn shapes, 8x8 pixels, four classes.
inline config::DataConfig small_data() {
  config::DataConfig config;
  config.kind = config::DataKind::shapes;
  config.classes = 4;
  config.shapes.test_examples = 40;
  config.shapes.image_size = 8;
  return config;
}

inline io::TensorFile random_weights(const config::ModelConfig& config) {
  io::TensorFile weights;
  const nn::Transformer<float> model(config, 3);
  const autodiff::ParameterStore<float>& parameters = model.parameters();
  for (const auto& entry : parameters.entries()) {
    tensor::Tensor<float> value(entry.shape);
    // Larger than at the start of training, so that attention is far from uniform.
    const float factor = entry.name.ends_with("qkv.weight") ? 6 : 1;
    for (std::int64_t i = 0; i < value.size(); ++i)
      value[i] = factor * parameters.flat()[entry.offset + i];
    weights.put(entry.name, value);
  }
  return weights;
}

/// A network of random weights for small_data: it predicts something, which is all a comparison
/// needs.
inline infer::Encoder random_encoder(int iterations) {
  config::ModelConfig config;
  config.image_height = config.image_width = 8;
  config.channels = 1;
  config.classes = 4;
  config.patch = 2;
  config.width = 8;
  config.heads = 2;
  config.layers = 2;
  config.attention.kind = config::AttentionKind::sinkhorn;
  config.attention.iterations = iterations;
  config.attention.epsilon = 0.5;
  return {config, random_weights(config), "random"};
}

}  // namespace asap::test
