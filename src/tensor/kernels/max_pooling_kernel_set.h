#pragma once

#include <cstdint>

namespace asap::tensor {

/// The kernels of max_pooling.cpp for one instruction set, on four pixels of `channels` numbers.
template <class T>
struct MaxPoolingKernelSet {
  void (*largest)(const T* const (&x)[4], T* y, std::int64_t channels);
  void (*give_back)(const T* const (&x)[4], const T* y, const T* dy, T* const (&dx)[4],
                    std::int64_t channels, bool accumulate);
};

}  // namespace asap::tensor
