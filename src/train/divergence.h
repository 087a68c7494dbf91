#pragma once

#include <span>
#include <string>

#include "data/dataset.h"
#include "nn/transformer.h"

namespace asap::train {

/// Names the first tensor with a value that is not finite, in the order of computation, and the
/// range of the scores of its attention head (for other tensors: of the head with the widest
/// range):
///   "the scores of layer 1, head 0 are not finite; they reach from -2.1e+38 to inf"
/// Computes the batch once more, without dropout. gradient: laid out as the parameters.
std::string describe_divergence(const nn::Transformer<float>& model,
                                tensor::VectorView<const float> gradient, const data::Dataset& data,
                                std::span<const std::int64_t> indices);

}  // namespace asap::train
