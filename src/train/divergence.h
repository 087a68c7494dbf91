#pragma once

#include <span>
#include <string>

#include "data/dataset.h"
#include "nn/transformer.h"

namespace asap::train {

/// Says which tensor was the first to hold a value that is not finite, in the order in which a step
/// computes them, and how far the scores of that attention head (else of the head where they lie
/// farthest apart) reach:
///   "the scores of layer 1, head 0 are not finite; they reach from -2.1e+38 to inf"
/// The batch is run once more, without dropout, to find out. gradient: laid out as the parameters.
std::string describe_divergence(const nn::Transformer<float>& model,
                                tensor::VectorView<const float> gradient, const data::Dataset& data,
                                std::span<const std::int64_t> indices);

}  // namespace asap::train
