#include "nn/convolutions.h"

#include <algorithm>
#include <string>

#include "autodiff/image_ops.h"
#include "autodiff/shape_ops.h"
#include "tensor/kernels/patches.h"

namespace asap::nn {

template <class T>
Convolutions<T>::Convolutions(const ParameterBuilder<T>& build, const config::ModelConfig& config)
    : config_(config) {
  for (const config::ConvolutionLayer& layer : config.convolution.convolutions(config.channels)) {
    const ParameterBuilder<T> part = build.part(std::to_string(layers_.size()));
    const ParameterBuilder<T> norm = part.part("norm");
    layers_.push_back({part.weight("filters", layer.channels, layer.window),
                       norm.constant("weight", {layer.channels}, 1),
                       norm.constant("bias", {layer.channels}, 0),
                       norm.statistics("statistics", {2, layer.channels}), layer.ends_block});
    std::ranges::fill(build.value(layers_.back().statistics).rows().row(1), T(1));
  }
}

template <class T>
autodiff::Var<T> Convolutions<T>::forward(PassContext<T>& pass,
                                          tensor::MatrixView<const T> images) const {
  const std::int64_t height = config_.image_height, width = config_.image_width;
  const tensor::TensorView<T> pixels =
      pass.tape.allocate({images.rows, height, width, config_.channels});
  // Patches of one pixel: channels from planes to the last dimension.
  tensor::extract_patches<T>({config_.channels, height, width, 1}, images, pixels.rows());
  autodiff::Var<T> x = pass.tape.constant(pixels);
  const autodiff::BatchNormSettings settings{config_.norm_epsilon, true, pass.batch_share};
  for (const Layer& layer : layers_) {
    x = autodiff::convolution(x, pass.tape.parameter(layer.filters));
    x = autodiff::batch_norm(x, pass.tape.parameter(layer.gain), pass.tape.parameter(layer.offset),
                             pass.tape.parameter(layer.statistics), settings);
    if (layer.ends_block) x = autodiff::max_pool(x);
  }
  return autodiff::reshape(x, {images.rows, config_.hidden_inputs()});
}

template class Convolutions<float>;
template class Convolutions<double>;

}  // namespace asap::nn
