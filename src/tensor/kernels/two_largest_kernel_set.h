#pragma once

#include <cstdint>

#include "tensor/kernels/two_largest.h"

namespace asap::tensor {

/// The kernel of one instruction set; two_largest.h says what it computes.
template <class T>
struct TwoLargestKernelSet {
  TwoLargest<T> (*two_largest)(const T* x, std::int64_t count);
};

}  // namespace asap::tensor
