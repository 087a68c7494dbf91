// Trained networks as exact ReLU networks, and the counts of their regions.

#include "evaluate/study/piecewise_network.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/random.h"
#include "data/batch.h"
#include "infer/encoder.h"
#include "nn/transformer.h"
#include "region/network/region_count.h"
#include "tensor/kernels/channel_networks.h"
#include "train/checkpoint.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::evaluate;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::nn;
using namespace asap::region;
using namespace asap::tensor;
using namespace asap::train;

namespace {

ModelConfig model_config(ModelKind kind, FeedForwardKind feed_forward) {
  ModelConfig config;
  config.kind = kind;
  config.channels = 1;
  config.image_height = config.image_width = 8;
  config.patch = 4;
  config.width = 6;
  config.heads = 2;
  config.layers = 2;
  config.classes = 3;
  config.feed_forward.kind = feed_forward;
  config.feed_forward.activation = Activation::relu;
  config.feed_forward.interval = 3;
  return config;
}

/// Weights of a fresh network; peaks and biases moved by noise, raw weights too if `released`.
TensorFile some_weights(const ModelConfig& config, bool released) {
  Transformer<float> model(config, 4);
  TensorFile file = export_parameters(model.parameters());
  if (!released) return file;
  RandomStream random(7, RandomPurpose::test);
  for (auto& [name, stored] : file.tensors) {
    if (!name.ends_with("regions.weights")) continue;
    Tensor<float> values = stored.to<float>();
    for (float& value : values.flat()) value += 0.05f * static_cast<float>(random.normal());
    file.put(name, values);
  }
  return file;
}

}  // namespace

TEST_CASE("a perceptron's first logit is its piecewise linear network") {
  for (const FeedForwardKind feed_forward : {FeedForwardKind::dense, FeedForwardKind::region})
    for (const bool released : {false, true}) {
      const ModelConfig config = model_config(ModelKind::mlp, feed_forward);
      const TensorFile weights = some_weights(config, released);
      const ReluNetwork network = perceptron_network(weights, config);
      const Encoder encoder(config, weights, "");
      RandomStream random(3, RandomPurpose::test);
      Tensor<float> images({5, 64}), logits({5, 3});
      for (float& value : images.flat()) value = static_cast<float>(random.normal());
      Arena arena;
      encoder.forward(ModelInput<float>::of_images(images.rows()), *encoder.teacher(),
                      logits.rows(), arena);
      Tensor<double> x({5, 64});
      std::copy_n(images.data(), images.size(), x.data());
      std::vector<double> values(5);
      network.evaluate(x.rows(), values);
      for (std::int64_t i = 0; i < 5; ++i)
        CHECK(std::abs(values[static_cast<std::size_t>(i)] - logits.rows()(i, 0)) < 1e-4);
      const ReluNetwork whole = perceptron_network(weights, config, Outputs::all);
      CHECK(whole.layers.back().outputs() == 3);
      CHECK(std::equal(network.layers.back().weight.data(),
                       network.layers.back().weight.data() + network.layers.back().inputs(),
                       whole.layers.back().weight.data()));
    }
}

TEST_CASE("a channel's network is the kernel's, and has exactly 2^depth regions by construction") {
  for (const int depth : {1, 3, 5}) {
    ModelConfig config = model_config(ModelKind::vit, FeedForwardKind::region);
    config.feed_forward.depth = depth;
    for (const bool released : {false, true}) {
      const TensorFile weights = some_weights(config, released);
      const std::string prefix = "layers.1.feed_forward.";
      const std::int64_t channels = config.hidden_width();
      CHECK(follows_peaks(weights, prefix, config.feed_forward, channels) == !released);
      const Tensor<float> stored = weights.at(prefix + "regions.weights").to<float>();
      for (const std::int64_t channel : {std::int64_t{0}, channels - 1}) {
        const ReluNetwork network =
            channel_network(weights, prefix, config.feed_forward, channels, channel);
        for (const double at : {-4.1, -1.3, 0.2, 2.9, 5.0}) {
          Tensor<float> x({1, channels}), out({1, channels});
          for (float& value : x.flat()) value = static_cast<float>(at);
          channel_networks<float>(depth, x.rows(), stored.rows(), out.rows());
          CHECK(std::abs(network(static_cast<float>(at)) - out[channel]) < 1e-5);
        }
        if (!released)
          CHECK(count_regions(network, {-3, 3}).linear_regions == std::int64_t{1} << depth);
      }
    }
  }
}

TEST_CASE("the feed-forward network of a layer reads what the observer is shown") {
  struct Observer : TokenObserver {
    std::vector<Tensor<double>> read;
    void see(int, const TokenRows&) override {}
    void see_feed_forward(int layer, const TokenRows& tokens) override {
      CHECK(layer == static_cast<int>(read.size()));
      read.emplace_back(Shape{tokens.rows.rows, tokens.rows.cols});
      for (std::int64_t i = 0; i < tokens.rows.rows; ++i)
        std::copy_n(tokens.rows.row(i).data(), tokens.rows.cols,
                    read.back().data() + i * tokens.rows.cols);
    }
  };
  const ModelConfig config = model_config(ModelKind::vit, FeedForwardKind::region);
  const TensorFile weights = some_weights(config, true);
  const Encoder encoder(config, weights, "");
  Tensor<float> image({1, 64}), logits({1, 3});
  for (std::int64_t i = 0; i < 64; ++i)
    image[i] = static_cast<float>(std::sin(0.3 * static_cast<double>(i)));
  Observer observer;
  Arena arena;
  encoder.forward(ModelInput<float>::of_images(image.rows()), *encoder.teacher(), logits.rows(),
                  arena, &observer);
  REQUIRE(observer.read.size() == 2);
  // up, learned activation, down, by the kernels.
  const Tensor<double>& tokens = observer.read[1];
  const std::int64_t rows = tokens.shape()[0], width = config.width, hidden = config.hidden_width();
  const AffineWeights up = take_linear(weights, "layers.1.feed_forward.up", hidden, width);
  const AffineWeights down = take_linear(weights, "layers.1.feed_forward.down", width, hidden);
  const Tensor<float> regions = weights.at("layers.1.feed_forward.regions.weights").to<float>();
  Tensor<float> x({rows, width}), inner({rows, hidden}), out({rows, width});
  for (std::int64_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(tokens[i]);
  apply_linear(up, x.rows(), 0, inner.rows());
  channel_networks<float>(config.feed_forward.depth, inner.rows(), regions.rows(), inner.rows());
  apply_linear(down, inner.rows(), 0, out.rows());
  std::vector<double> values(static_cast<std::size_t>(rows));
  feed_forward_network(weights, config, 1).evaluate(tokens.rows(), values);
  for (std::int64_t i = 0; i < rows; ++i)
    CHECK(std::abs(values[static_cast<std::size_t>(i)] - out.rows()(i, 0)) < 1e-5);
}

TEST_CASE("gelu has no regions to count") {
  ModelConfig config = model_config(ModelKind::mlp, FeedForwardKind::dense);
  config.feed_forward.activation = Activation::gelu;
  CHECK_THROWS_AS(perceptron_network(some_weights(config, false), config), UsageError);
}
