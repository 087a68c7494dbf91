#pragma once

#include <cstdint>

namespace asap::tensor {

/// The kernels of skeleton.cpp for one instruction set; skeleton.h says what each computes.
template <class T>
struct SkeletonKernelSet {
  void (*interpolate)(const T* a, const T* b, T weight, T* out, std::int64_t count);
  T (*l1_distance)(const T* a, const T* b, std::int64_t count);
};

}  // namespace asap::tensor
