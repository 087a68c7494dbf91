#pragma once

#include "tensor/core/arena.h"
#include "tensor/core/view.h"

namespace asap {

/// Ascending order of `values`: [n]: sorted[r] = values[order[r]]; equal values by ascending index.
/// NaN goes to either end.
void sort_with_order(VectorView<const float> values, VectorView<float> sorted,
                     VectorView<std::int32_t> order, Arena& scratch);
void sort_with_order(VectorView<const double> values, VectorView<double> sorted,
                     VectorView<std::int32_t> order, Arena& scratch);

/// `values` ascending, in place.
void sort_values(VectorView<float> values);
void sort_values(VectorView<double> values);

}  // namespace asap
