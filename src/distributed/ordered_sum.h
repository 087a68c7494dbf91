#pragma once

#include <span>

#include "tensor/core/view.h"

namespace asap::distributed {

/// A part of every gradient: elements from `begin` on.
struct Segment {
  std::size_t begin = 0, length = 0;
};

/// Adds a segment of gradients[0], gradients[1], ... to `sum`, in this order whatever the number of
/// threads. `sum`: [length]; with `fresh` its values do not count, so that gradients[0] starts it,
/// which it may be itself.
void add_in_order(std::span<const tensor::VectorView<float>> gradients, const Segment& segment,
                  bool fresh, tensor::VectorView<float> sum, int threads);

}  // namespace asap::distributed
