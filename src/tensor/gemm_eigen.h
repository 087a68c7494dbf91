#pragma once

#include "tensor/view.h"

namespace asap {

/// Arguments of one gemm with shapes already checked (see gemm.h).
template <class T>
struct GemmCall {
  bool transpose_a, transpose_b;
  T alpha, beta;
  MatrixView<const T> a, b;
  MatrixView<T> c;
};

/// The same product compiled for three instruction sets; gemm.cpp picks one at run time.
void gemm_baseline(const GemmCall<float>& call);
void gemm_baseline(const GemmCall<double>& call);
void gemm_avx2(const GemmCall<float>& call);
void gemm_avx2(const GemmCall<double>& call);
void gemm_avx512(const GemmCall<float>& call);
void gemm_avx512(const GemmCall<double>& call);

}  // namespace asap
