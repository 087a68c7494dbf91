#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "autodiff/row_ops.h"
#include "golden/golden_file.h"
#include "nn/transformer.h"

namespace asap::test {

inline config::ModelConfig convolutional_config_of(const io::TensorFile& file) {
  config::ModelConfig config;
  config.kind = config::ModelKind::convolutional;
  config.feed_forward.activation = config::Activation::relu;
  const auto take = [&](const char* field, const char* key) {
    config::set_field(config, std::string(field) + "=" + file.metadata.at(key));
  };
  take("image_height", "image");
  take("image_width", "image");
  take("channels", "image_channels");
  take("convolution.channels", "convolution_channels");
  take("convolution.layers", "convolution_layers");
  for (const char* field : {"classes", "width", "layers"}) take(field, field);
  return config;
}

inline config::ModelConfig config_of(const io::TensorFile& file) {
  if (file.metadata.contains("convolution_channels")) return convolutional_config_of(file);
  const auto integer = [&](const char* key) { return std::stoi(file.metadata.at(key)); };
  config::ModelConfig config;
  config.image_height = config.image_width = integer("image");
  config.channels = 1;
  config.classes = integer("classes");
  config.patch = integer("patch");
  config.width = integer("width");
  config.heads = integer("heads");
  config.layers = integer("layers");
  config.mlp_ratio = static_cast<double>(integer("hidden")) / config.width;
  config.pooling = file.metadata.at("class_token") == "True" ? config::Pooling::class_token
                                                             : config::Pooling::mean;
  config.attention.kind = file.metadata.at("attention") == "softmax"
                              ? config::AttentionKind::softmax
                              : config::AttentionKind::sinkhorn;
  config.attention.iterations = integer("iterations");
  config.attention.epsilon = std::stod(file.metadata.at("epsilon"));
  config.attention.learn_epsilon = file.metadata.at("learn_epsilon") == "True";
  return config;
}

/// A model with the golden parameters, its batch, and the loss and gradient it finds.
struct GoldenModel {
  explicit GoldenModel(const io::TensorFile& file)
      : model(config_of(file), 1),
        images(golden(file, "images")),
        gradient({static_cast<std::int64_t>(model.parameters().flat().size())}) {
    for (const auto& entry : model.parameters().entries()) {
      const tensor::Tensor<double> values = golden(file, "parameter." + entry.name);
      REQUIRE(values.shape() == entry.shape);
      std::ranges::copy(values.flat(), model.parameters().flat().begin() + entry.offset);
    }
    const tensor::Tensor<std::int32_t> stored = file.at("labels").to<std::int32_t>();
    labels.assign(stored.flat().begin(), stored.flat().end());
  }

  double compute() {
    std::ranges::fill(gradient.flat(), 0.0);
    tape.clear();
    tape.bind(model.parameters(), gradient.flat());
    attention::AttentionEvidence evidence;
    nn::PassContext<double> pass{tape, evidence, 0, {}};
    pass.batch_share = 1;
    const std::int64_t examples = static_cast<std::int64_t>(labels.size());
    logits = model.forward(pass, config::ModelInput<double>::of_images(
                                     {images.data(), examples, images.size() / examples}));
    const autodiff::Var<double> loss =
        autodiff::cross_entropy<double>(logits, labels, 0, static_cast<double>(examples));
    tape.backward(loss);
    return loss.value().data[0];
  }

  nn::Transformer<double> model;
  tensor::Tensor<double> images, gradient;
  std::vector<std::int32_t> labels;
  autodiff::Tape<double> tape;
  autodiff::Var<double> logits;
};

}  // namespace asap::test
