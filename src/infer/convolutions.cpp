#include "infer/convolutions.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "tensor/kernels/convolution.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/max_pooling.h"
#include "tensor/kernels/patches.h"

namespace asap::infer {
namespace {

/// Activations of a layer that a core's cache holds, 1 MiB.
constexpr std::int64_t kCachedActivations = std::int64_t{1} << 18;

/// Filters whose outputs are already normalised.
AffineWeights fold_norm(const io::TensorFile& weights, const std::string& prefix,
                        const config::ConvolutionLayer& layer, double epsilon) {
  const std::int64_t channels = layer.channels;
  AffineWeights folded{take_weights(weights, prefix + "filters", {channels, layer.window}),
                       take_weights(weights, prefix + "norm.bias", {channels})};
  const tensor::Tensor<float> gain = take_weights(weights, prefix + "norm.weight", {channels}),
                              statistics =
                                  take_weights(weights, prefix + "norm.statistics", {2, channels});
  for (std::int64_t c = 0; c < channels; ++c) {
    const double scale = gain[c] / std::sqrt(statistics[channels + c] + epsilon);
    folded.bias[c] = static_cast<float>(folded.bias[c] - scale * statistics[c]);
    for (float& value : folded.weight.rows().row(c)) value = static_cast<float>(value * scale);
  }
  return folded;
}

}  // namespace

Convolutions::Convolutions(const config::ModelConfig& config, const io::TensorFile& weights)
    : config_(config) {
  for (const config::ConvolutionLayer& layer : config.convolution.convolutions(config.channels)) {
    const std::string prefix = "convolutions." + std::to_string(layers_.size()) + ".";
    layers_.push_back({fold_norm(weights, prefix, layer, config.norm_epsilon), layer.ends_block});
  }
}

Convolutions::Images Convolutions::run_layer(const Layer& layer, const Images& x,
                                             tensor::Arena& arena) const {
  const std::int64_t channels = layer.filters.weight.shape()[0];
  const tensor::MatrixView<float> out = arena.matrix<float>(x.rows.rows, channels);
  tensor::convolve<float>({x.height, x.width, x.rows.cols, channels}, x.rows,
                          layer.filters.weight.rows(), layer.filters.bias.flat(), out);
  const tensor::VectorView<float> flat(out.data, static_cast<std::size_t>(out.rows * out.cols));
  tensor::relu<float>(flat, flat);
  if (!layer.ends_block) return {out, x.height, x.width};
  const tensor::PoolingShape pooling{x.height, x.width};
  const tensor::MatrixView<float> pooled =
      arena.matrix<float>(out.rows / pooling.pixels() * pooling.pooled_pixels(), channels);
  tensor::max_pool<float>(pooling, out, pooled);
  return {pooled, x.height / 2, x.width / 2};
}

std::int64_t Convolutions::images_at_once() const {
  const std::int64_t pixels = std::int64_t{config_.image_height} * config_.image_width;
  return std::max<std::int64_t>(1, kCachedActivations / (pixels * config_.convolution.channels[0]));
}

void Convolutions::apply(tensor::MatrixView<const float> images, tensor::MatrixView<float> features,
                         tensor::Arena& arena) const {
  base::check(images.cols == config_.image_size() && features.rows == images.rows &&
                  features.cols == config_.hidden_inputs(),
              "Convolutions: images of another size");
  const std::int64_t height = config_.image_height, width = config_.image_width;
  for (std::int64_t first = 0; first < images.rows; first += images_at_once()) {
    const tensor::ArenaScope scope(arena);
    const std::int64_t count = std::min(images_at_once(), images.rows - first);
    Images x{arena.matrix<float>(count * height * width, config_.channels), height, width};
    // Patches of one pixel: channels from planes to the last dimension.
    tensor::extract_patches<float>({config_.channels, height, width, 1},
                                   images.block(first, 0, count, images.cols), x.rows);
    for (const Layer& layer : layers_) x = run_layer(layer, x, arena);
    std::copy_n(x.rows.data, count * features.cols, features.row(first).data());
  }
}

}  // namespace asap::infer
