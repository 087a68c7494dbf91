#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// The largest and the second largest of some values; equal ones if the largest occurs twice.
template <class T>
struct TwoLargest {
  T first, second;
};

/// T is float or double. -infinity stands for what is missing; for NaN among the values, both are
/// undefined.
template <class T>
TwoLargest<T> two_largest(VectorView<const T> x);

}  // namespace asap::tensor
