#pragma once

#include <cstdint>

namespace asap::attention {

/// The kernels of sparse_sums.cpp for one instruction set; sparse_sums.h says what each computes.
template <class T>
struct SparseSumsKernelSet {
  void (*row_sums)(const std::int64_t* starts, const std::int32_t* columns, const T* entries,
                   const T* x, T* out, std::int64_t rows);
  std::int64_t (*keep_larger)(const T* scores, const T* g, T f, T least, std::int64_t count,
                              std::int32_t* columns, T* exponents);
};

}  // namespace asap::attention
