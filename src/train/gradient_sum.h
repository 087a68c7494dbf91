#pragma once

#include <span>

#include "tensor/core/tensor.h"

namespace asap::train {

/// Adds gradients[1], gradients[2], ... to gradients[0], in this order whatever the number of
/// threads. All have one size.
void sum_gradients(std::span<tensor::Tensor<float>* const> gradients, int threads);

}  // namespace asap::train
