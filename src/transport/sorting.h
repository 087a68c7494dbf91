#pragma once

#include "tensor/core/arena.h"
#include "tensor/core/view.h"

namespace asap::transport {

/// Ascending order of `values`: sorted[r] = values[order[r]], equal values by ascending index, NaN
/// at either end. values, sorted, order: [n].
void sort_with_order(tensor::VectorView<const float> values, tensor::VectorView<float> sorted,
                     tensor::VectorView<std::int32_t> order, tensor::Arena& scratch);
void sort_with_order(tensor::VectorView<const double> values, tensor::VectorView<double> sorted,
                     tensor::VectorView<std::int32_t> order, tensor::Arena& scratch);

/// Sorts `values` in ascending order, in place.
void sort_values(tensor::VectorView<float> values);
void sort_values(tensor::VectorView<double> values);

}  // namespace asap::transport
