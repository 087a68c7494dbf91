#pragma once

#include <cstdint>

#include "tensor/kernels/elementwise.h"

namespace asap::tensor {

/// The elementwise kernels of one instruction set; elementwise.h says what each computes.
template <class T>
struct ElementwiseKernelSet {
  void (*add)(const T* a, const T* b, T* out, std::int64_t count);
  void (*axpy)(T alpha, const T* x, T* y, std::int64_t count);
  void (*scale)(T alpha, const T* x, T* out, bool accumulate, std::int64_t count);
  void (*multiply)(const T* a, const T* b, T* out, bool accumulate, std::int64_t count);
  void (*exponential)(const T* x, T* out, std::int64_t count);
  void (*gelu)(const T* x, T* out, std::int64_t count);
  void (*gelu_vjp)(const T* x, const T* dy, T* dx, bool accumulate, std::int64_t count);
  void (*gelu_erf)(const T* x, T* out, std::int64_t count);
  void (*gelu_erf_vjp)(const T* x, const T* dy, T* dx, bool accumulate, std::int64_t count);
  void (*relu)(const T* x, T* out, std::int64_t count);
  void (*relu_vjp)(const T* x, const T* dy, T* dx, bool accumulate, std::int64_t count);
  T (*sum)(const T* x, std::int64_t count);
  T (*dot)(const T* a, const T* b, std::int64_t count);
  T (*maximum)(const T* x, std::int64_t count);
  void (*adamw_update)(const AdamWStep<T>& step, const T* gradient, T* weights, T* first_moment,
                       T* second_moment, std::int64_t count);
};

}  // namespace asap::tensor
