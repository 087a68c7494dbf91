#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// The kernels of skeleton.cpp, the template of a SIMD file. They are tested, and nothing else uses
/// them. T is float or double. InternalError when lengths differ.

/// out_i = a_i + weight (b_i - a_i). a, b, out: [n]; `out` may be `a` or `b`.
template <class T>
void skeleton_interpolate(VectorView<const T> a, VectorView<const T> b, T weight,
                          VectorView<T> out);

/// sum_i |a_i - b_i|. a, b: [n]. The order of the sum depends on n and the processor alone.
template <class T>
T skeleton_l1_distance(VectorView<const T> a, VectorView<const T> b);

}  // namespace asap::tensor
