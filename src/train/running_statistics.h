#pragma once

#include "autodiff/parameter_store.h"

namespace asap::train {

/// Moves the running statistics of batch norms (see nn/convolutions.h) after a step. What a step
/// teaches them comes in their places of the gradient, summed over all shards, so it travels
/// between threads and ranks as the gradient does. Does nothing for networks without batch norms.
/// gradient: laid out as parameters.flat().
void move_statistics(autodiff::ParameterStore<float>& parameters,
                     tensor::VectorView<const float> gradient);

}  // namespace asap::train
