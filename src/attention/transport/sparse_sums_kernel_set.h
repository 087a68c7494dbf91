#pragma once

#include <cstdint>

namespace asap::attention {

/// The kernels of sparse_sums.cpp for one instruction set; sparse_sums.h says what each computes.
template <class T>
struct SparseSumsKernelSet {
  struct Slices {
    std::int64_t slices;
    const std::int32_t* order;
    const std::int32_t* lengths;
    const std::int64_t* starts;
    const std::int32_t* columns;
    const T* entries;
  };
  void (*row_sums)(const Slices&, const T* x, T* out);
  void (*scale_to_masses)(const T* masses, const T* sums, T* out, std::int64_t count);
  T (*total_mass_error)(const T* masses, const T* sums, const T* v, std::int64_t count);
  std::int64_t (*keep_larger)(const T* scores, const T* g, T f, T least, std::int64_t count,
                              std::int32_t* columns, T* exponents);
};

}  // namespace asap::attention
