#include "nn/transformer.h"

#include <doctest/doctest.h>

#include "autodiff/row_ops.h"
#include "golden/golden_file.h"
#include "infer/encoder.h"
#include "optim/adamw.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::config;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::nn;
using namespace asap::optim;
using namespace asap::tensor;
using namespace asap::test;

namespace {

ModelConfig config_of(const TensorFile& file) {
  const auto integer = [&](const char* key) { return std::stoi(file.metadata.at(key)); };
  ModelConfig config;
  config.image_height = config.image_width = integer("image");
  config.channels = 1;
  config.classes = integer("classes");
  config.patch = integer("patch");
  config.width = integer("width");
  config.heads = integer("heads");
  config.layers = integer("layers");
  config.mlp_ratio = static_cast<double>(integer("hidden")) / config.width;
  config.pooling = file.metadata.at("class_token") == "True" ? Pooling::class_token : Pooling::mean;
  config.attention.kind =
      file.metadata.at("attention") == "softmax" ? AttentionKind::softmax : AttentionKind::sinkhorn;
  config.attention.iterations = integer("iterations");
  config.attention.epsilon = std::stod(file.metadata.at("epsilon"));
  config.attention.learn_epsilon = file.metadata.at("learn_epsilon") == "True";
  return config;
}

/// A model with the golden parameters, its batch, and the loss and gradient it finds.
struct GoldenModel {
  explicit GoldenModel(const TensorFile& file)
      : model(config_of(file), 1),
        images(golden(file, "images")),
        gradient({static_cast<std::int64_t>(model.parameters().flat().size())}) {
    for (const auto& entry : model.parameters().entries()) {
      const Tensor<double> values = golden(file, "parameter." + entry.name);
      REQUIRE(values.shape() == entry.shape);
      std::ranges::copy(values.flat(), model.parameters().flat().begin() + entry.offset);
    }
    const Tensor<std::int32_t> stored = file.at("labels").to<std::int32_t>();
    labels.assign(stored.flat().begin(), stored.flat().end());
  }

  double compute() {
    std::ranges::fill(gradient.flat(), 0.0);
    tape.clear();
    tape.bind(model.parameters(), gradient.flat());
    AttentionEvidence evidence;
    PassContext<double> pass{tape, evidence, 0, {}};
    const std::int64_t examples = static_cast<std::int64_t>(labels.size());
    logits = model.forward(
        pass, ModelInput<double>::of_images({images.data(), examples, images.size() / examples}));
    const Var<double> loss =
        cross_entropy<double>(logits, labels, 0, static_cast<double>(examples));
    tape.backward(loss);
    return loss.value().data[0];
  }

  Transformer<double> model;
  Tensor<double> images, gradient;
  std::vector<std::int32_t> labels;
  Tape<double> tape;
  Var<double> logits;
};

// Two float64 implementations that add in different orders through a few layers.
constexpr double kTolerance = 1e-11;

}  // namespace

TEST_CASE("the Vision Transformer has PyTorch's logits, loss and gradients") {
  for (const char* name : {"vit_softmax", "vit_sinkhorn", "vit_learned_epsilon"}) {
    CAPTURE(name);
    const TensorFile file = read_golden(std::string(name) + ".safetensors");
    GoldenModel golden_model(file);
    const double loss = golden_model.compute();
    CHECK(std::abs(loss - golden(file, "loss")[0]) < kTolerance);
    CHECK(relative_difference(golden_model.logits.value().flat(), golden(file, "logits").flat()) <
          kTolerance);
    for (const auto& entry : golden_model.model.parameters().entries()) {
      CAPTURE(entry.name);
      const Tensor<double> expected = golden(file, "gradient." + entry.name);
      CHECK(relative_difference(
                golden_model.gradient.flat().subspan(static_cast<std::size_t>(entry.offset),
                                                     static_cast<std::size_t>(entry.shape.size())),
                expected.flat()) < kTolerance);
    }
  }
}

TEST_CASE("ten clipped AdamW steps follow PyTorch's losses") {
  const TensorFile file = read_golden("vit_sinkhorn.safetensors");
  GoldenModel golden_model(file);
  ParameterStore<double>& parameters = golden_model.model.parameters();
  AdamW<double> optimizer(parameters,
                          {.weight_decay = std::stod(file.metadata.at("weight_decay"))});
  const double rate = std::stod(file.metadata.at("learning_rate"));
  const double clip = std::stod(file.metadata.at("clip_norm"));
  const Tensor<double> losses = golden(file, "training.losses");
  REQUIRE(losses.size() == 10);
  for (std::int64_t step = 0; step < losses.size(); ++step) {
    // Adam divides by square roots of small moments, which enlarges rounding from step to step.
    CHECK(std::abs(golden_model.compute() - losses[step]) < 1e-10);
    const double norm = gradient_norm<double>(parameters, golden_model.gradient.flat());
    const double factor = std::min(1.0, clip / (norm + 1e-6));  // PyTorch's clip_grad_norm_
    optimizer.step(parameters, golden_model.gradient.flat(), rate, factor);
  }
}

TEST_CASE("inference without a tape gives PyTorch's logits in float32") {
  for (const char* name : {"vit_softmax", "vit_sinkhorn", "vit_learned_epsilon"}) {
    CAPTURE(name);
    const TensorFile file = read_golden(std::string(name) + ".safetensors");
    TensorFile weights;
    for (const auto& [tensor_name, tensor] : file.tensors)
      if (tensor_name.starts_with("parameter.")) weights.tensors[tensor_name.substr(10)] = tensor;
    const Encoder encoder(config_of(file), weights, "golden");
    const Tensor<float> images = file.at("images").to<float>();
    const Tensor<double> expected = golden(file, "logits");
    Tensor<float> logits(expected.shape());
    Arena arena;
    const std::int64_t examples = expected.shape()[0];
    encoder.forward(
        ModelInput<float>::of_images({images.data(), examples, images.size() / examples}),
        *encoder.teacher(), logits.rows(), arena);
    for (std::int64_t i = 0; i < logits.size(); ++i)  // float32 through two layers of width 8
      CHECK(std::abs(logits[i] - expected[i]) < 1e-5);
  }
}
