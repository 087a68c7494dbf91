#pragma once

#include <vector>

#include "config/model_config.h"
#include "nn/module.h"

namespace asap::nn {

/// What part of the distance between the running statistics of a batch norm and the moments of a
/// batch every step closes.
inline constexpr double kStatisticsRate = 0.1;

/// Blocks of 3 x 3 convolutions with batch norm and ReLU, each block halved by max pooling.
/// Parameters: "<i>.filters" [channels, 9 inputs], "<i>.norm.weight", "<i>.norm.bias" [channels].
///
/// In training a batch norm uses the moments of the examples of one shard, so that shards stay
/// independent ("ghost" batch norm: Hoffer, Hubara and Soudry 2017). "<i>.norm.statistics" [2,
/// channels], running mean and variance, are no parameters: their gradient (see batch_norm in
/// autodiff/image_ops.h) is summed with that of the parameters, in the order of the shards, and
/// train/running_statistics.h moves them.
template <class T>
class Convolutions {
 public:
  Convolutions(const ParameterBuilder<T>& build, const config::ModelConfig& config);

  /// images: [B, channels * height * width], which must outlive the pass; result: [B,
  /// hidden_inputs], pixel by pixel.
  autodiff::Var<T> forward(PassContext<T>& pass, tensor::MatrixView<const T> images) const;

 private:
  struct Layer {
    autodiff::ParameterId filters, gain, offset, statistics;
    bool ends_block;
  };

  const config::ModelConfig config_;
  std::vector<Layer> layers_;
};

}  // namespace asap::nn
