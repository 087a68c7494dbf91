#include "evaluate/study/piecewise_network.h"

#include <algorithm>

#include "activation/region_unfolding.h"
#include "base/error.h"
#include "infer/weights.h"
#include "tensor/kernels/channel_networks.h"

namespace asap::evaluate {
namespace {

using Layout = tensor::ChannelNetworkLayout;

template <class T>
tensor::Tensor<double> to_double(const tensor::Tensor<T>& from) {
  tensor::Tensor<double> result(from.shape());
  std::copy_n(from.data(), from.size(), result.data());
  return result;
}

/// What the learned activations of one layer are stored as.
struct StoredRegions {
  tensor::Tensor<float> peaks, weights;
  activation::RegionInterval interval;

  StoredRegions(const io::TensorFile& file, const std::string& prefix,
                const config::FeedForwardConfig& config, std::int64_t channels)
      : peaks(infer::take_weights(file, prefix + "regions.peaks",
                                  {activation::region_rows(config.depth), channels})),
        weights(infer::take_weights(file, prefix + "regions.weights",
                                    {Layout{config.depth}.count(), channels})),
        interval{-config.interval, config.interval} {}

  bool follow_peaks() const {
    tensor::Tensor<float> unfolded(weights.shape());
    activation::unfold_regions<float>(interval, peaks.rows(), unfolded.rows());
    return std::equal(unfolded.data(), unfolded.data() + unfolded.size(), weights.data());
  }
  /// [count, channels]
  tensor::Tensor<double> in_double() const {
    if (!follow_peaks()) return to_double(weights);
    tensor::Tensor<double> unfolded(weights.shape());
    activation::unfold_regions<double>(interval, to_double(peaks).rows(), unfolded.rows());
    return unfolded;
  }
};

/// A linear layer in float64.
region::DenseLayer dense(const infer::AffineWeights& linear) {
  region::DenseLayer layer(linear.weight.shape()[0], linear.weight.shape()[1]);
  std::copy_n(linear.weight.data(), linear.weight.size(), layer.weight.data());
  std::copy_n(linear.bias.data(), linear.bias.size(), layer.bias.begin());
  return layer;
}

/// first of second: W2 (W1 x + b1) + b2.
region::DenseLayer composed(const region::DenseLayer& first, const region::DenseLayer& second) {
  region::DenseLayer layer(second.outputs(), first.inputs());
  layer.bias = second.bias;
  for (std::int64_t k = 0; k < second.outputs(); ++k)
    for (std::int64_t m = 0; m < second.inputs(); ++m) {
      const double weight = second.w(k, m);
      if (weight == 0) continue;
      layer.bias[static_cast<std::size_t>(k)] += weight * first.bias[static_cast<std::size_t>(m)];
      for (std::int64_t j = 0; j < first.inputs(); ++j) layer.w(k, j) += weight * first.w(m, j);
    }
  return layer;
}

/// The activations of all channels as layers between the linear ones: the first reads the channels,
/// the last writes them.
std::vector<region::DenseLayer> activation_layers(const tensor::Tensor<double>& weights,
                                                  int depth) {
  constexpr std::int64_t kWidth = Layout::kWidth;
  const Layout at{depth};
  const tensor::MatrixView<const double> all = weights.rows();
  const std::int64_t channels = all.cols;
  std::vector<region::DenseLayer> layers;
  layers.emplace_back(kWidth * channels, channels);
  for (int l = 1; l < depth; ++l) layers.emplace_back(kWidth * channels, kWidth * channels);
  layers.emplace_back(channels, kWidth * channels);
  for (std::int64_t c = 0; c < channels; ++c) {
    for (int k = 0; k < kWidth; ++k) {
      const std::int64_t row = kWidth * c + k;
      layers[0].w(row, c) = all(at.first_weight(k), c);
      layers[0].bias[static_cast<std::size_t>(row)] = all(at.first_bias(k), c);
      for (int l = 1; l < depth; ++l) {
        region::DenseLayer& layer = layers[static_cast<std::size_t>(l)];
        for (int j = 0; j < kWidth; ++j) layer.w(row, kWidth * c + j) = all(at.weight(l, k, j), c);
        layer.bias[static_cast<std::size_t>(row)] = all(at.bias(l, k), c);
      }
      layers.back().w(c, row) = all(at.last_weight(k), c);
    }
    layers.back().bias[static_cast<std::size_t>(c)] = all(at.last_bias(), c);
  }
  return layers;
}

region::DenseLayer first_output(const region::DenseLayer& layer) {
  region::DenseLayer one(1, layer.inputs());
  std::copy_n(layer.weight.data(), layer.inputs(), one.weight.data());
  one.bias[0] = layer.bias[0];
  return one;
}

/// Linear layers with the configured activation between them, layer by layer.
class Builder {
 public:
  Builder(const io::TensorFile& file, const config::FeedForwardConfig& config)
      : file_(file), config_(config) {
    if (config.kind == config::FeedForwardKind::dense &&
        config.activation != config::Activation::relu)
      throw base::UsageError(
          file.source + ": gelu is not piecewise linear, it has no regions to count",
          "train with model.feed_forward.activation=relu, or kind=region");
  }

  void add_linear(const region::DenseLayer& layer) {
    if (open_)
      network_.layers.back() = composed(network_.layers.back(), layer);
    else
      network_.layers.push_back(layer);
    open_ = false;
  }

  void add_activation(const std::string& prefix) {
    if (config_.kind == config::FeedForwardKind::dense) return;
    const std::int64_t channels = network_.layers.back().outputs();
    const StoredRegions stored(file_, prefix, config_, channels);
    const std::vector<region::DenseLayer> layers =
        activation_layers(stored.in_double(), config_.depth);
    network_.layers.back() = composed(network_.layers.back(), layers.front());
    network_.layers.insert(network_.layers.end(), layers.begin() + 1, layers.end());
    open_ = true;
  }

  region::ReluNetwork take(Outputs outputs = Outputs::first) {
    if (outputs == Outputs::first) network_.layers.back() = first_output(network_.layers.back());
    return std::move(network_);
  }

 private:
  const io::TensorFile& file_;
  const config::FeedForwardConfig& config_;
  region::ReluNetwork network_;
  bool open_ = false;  // the last layer is followed by no ReLU
};

}  // namespace

bool follows_peaks(const io::TensorFile& weights, const std::string& prefix,
                   const config::FeedForwardConfig& config, std::int64_t channels) {
  return StoredRegions(weights, prefix, config, channels).follow_peaks();
}

region::ReluNetwork channel_network(const io::TensorFile& weights, const std::string& prefix,
                                    const config::FeedForwardConfig& config, std::int64_t channels,
                                    std::int64_t channel) {
  const tensor::Tensor<double> all = StoredRegions(weights, prefix, config, channels).in_double();
  tensor::Tensor<double> own({all.shape()[0], 1});
  for (std::int64_t row = 0; row < own.size(); ++row) own[row] = all.rows()(row, channel);
  region::ReluNetwork network;
  network.layers = activation_layers(own, config.depth);
  return network;
}

region::ReluNetwork perceptron_network(const io::TensorFile& weights,
                                       const config::ModelConfig& config, Outputs outputs) {
  Builder builder(weights, config.feed_forward);
  std::int64_t inputs = config.hidden_inputs();
  for (int l = 0; l < config.layers; ++l) {
    const std::string prefix = "hidden." + std::to_string(l) + ".";
    builder.add_linear(dense(infer::take_linear(weights, prefix + "linear", config.width, inputs)));
    builder.add_activation(prefix);
    inputs = config.width;
  }
  builder.add_linear(dense(infer::take_linear(weights, "head", config.classes, inputs)));
  return builder.take(outputs);
}

region::ReluNetwork feed_forward_network(const io::TensorFile& weights,
                                         const config::ModelConfig& config, int layer) {
  const std::string prefix = "layers." + std::to_string(layer) + ".feed_forward.";
  const std::int64_t width = config.width, hidden = config.hidden_width();
  Builder builder(weights, config.feed_forward);
  builder.add_linear(dense(infer::take_linear(weights, prefix + "up", hidden, width)));
  builder.add_activation(prefix);
  builder.add_linear(dense(infer::take_linear(weights, prefix + "down", width, hidden)));
  return builder.take();
}

}  // namespace asap::evaluate
