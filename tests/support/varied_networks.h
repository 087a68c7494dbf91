#pragma once

#include "config/model_config.h"
#include "nn/transformer.h"
#include "support/random_heads.h"

namespace asap::test {

/// How the images of small_model() are normalised.
inline constexpr double kPixelMean = 0.3, kPixelDeviation = 0.4;

/// A network on images of 8 x 12, texts of 11 words or sets of points in space, small enough to
/// export many.
inline config::ModelConfig small_model(config::ModelKind kind) {
  config::ModelConfig model;
  model.kind = kind;
  model.image_height = 8;
  model.image_width = 12;
  model.channels = 2;
  model.patch = 2;
  model.classes = 3;
  model.vocabulary = kind == config::ModelKind::text ? 11 : 0;
  model.max_tokens = kind == config::ModelKind::text ? 20 : 0;
  model.point_width = kind == config::ModelKind::set ? 3 : 0;
  model.width = 12;
  model.heads = 3;
  model.layers = 2;
  model.attention.iterations = 6;
  model.attention.epsilon = 0.5;
  return model;
}

/// Weights far from their first values: attention is far from uniform, norms and biases are not 0.
inline io::TensorFile varied_weights(const config::ModelConfig& model, base::RandomStream random) {
  io::TensorFile weights;
  const nn::Transformer<float> network(model, 3);
  for (const auto& entry : network.parameters().entries()) {
    tensor::Tensor<float> value = random_floats(entry.shape, 0.1f, random);
    const float factor = entry.name.ends_with("qkv.weight") ? 3 : 1;
    for (std::int64_t i = 0; i < value.size(); ++i)
      value[i] += factor * network.parameters().flat()[static_cast<std::size_t>(entry.offset + i)];
    weights.put(entry.name, value);
  }
  return weights;
}

}  // namespace asap::test
