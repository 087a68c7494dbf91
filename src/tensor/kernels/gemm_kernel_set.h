#pragma once

#include <cstdint>

namespace asap::tensor {

/// A product C = alpha op(A) op(B) + bias + beta C whose shapes are checked; see gemm.h.
template <class T>
struct GemmCall {
  std::int64_t m, n, k;  ///< op(A): [m, k], op(B): [k, n], C: [m, n]
  T alpha, beta;
  const T* a;  ///< op(A)(i, k) = a[i * a_row + k * a_inner], transposed or not
  std::int64_t a_row, a_inner;
  const T* b;
  std::int64_t b_stride;
  bool b_transposed;
  T* c;
  std::int64_t c_stride;
  const T* bias;  ///< [n], or null
};

/// The matrix product of one instruction set.
template <class T>
struct GemmKernelSet {
  void (*run)(const GemmCall<T>& call);
};

}  // namespace asap::tensor
