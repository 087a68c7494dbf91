#pragma once

#include <vector>

#include "config/model_config.h"
#include "infer/weights.h"
#include "tensor/core/arena.h"

namespace asap::infer {

/// The convolutional part of a trained network (see nn/convolutions.h). Batch norms are folded into
/// the filters: with running statistics they are one factor and one offset per channel.
class Convolutions {
 public:
  /// DataError names a tensor that is missing or has another shape.
  Convolutions(const config::ModelConfig& config, const io::TensorFile& weights);

  /// images: [B, channels * height * width], features: [B, hidden_inputs].
  void apply(tensor::MatrixView<const float> images, tensor::MatrixView<float> features,
             tensor::Arena& arena) const;

 private:
  struct Layer {
    AffineWeights filters;  // [channels, 9 inputs], [channels]
    bool ends_block;
  };
  /// Rows of one per pixel of some images.
  struct Images {
    tensor::MatrixView<float> rows;
    std::int64_t height, width;
  };

  Images run_layer(const Layer& layer, const Images& x, tensor::Arena& arena) const;
  std::int64_t images_at_once() const;

  config::ModelConfig config_;
  std::vector<Layer> layers_;
};

}  // namespace asap::infer
