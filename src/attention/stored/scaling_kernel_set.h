#pragma once

#include <cstdint>

namespace asap::attention {

/// The sweeps of one instruction set; scaling_kernels.h says what each computes. `rows` = n,
/// `columns` = m, `stride` = padded m.
template <class T>
struct ScalingKernelSet {
  struct Extent {
    std::int64_t rows, columns, stride;
  };
  void (*score_shifts)(Extent, T* scores, T* row_shift, T* column_shift);
  void (*exponentiate)(Extent, T* scores, const T* row_shift, const T* column_shift);
  void (*exponentiate_and_scale)(Extent, T* scores, const T* row_shift, const T* column_shift,
                                 const T* v, T* u, T* column_sum);
  void (*scaling_sweep)(Extent, const T* gibbs, const T* v, T* u, T* column_sum);
  void (*weighted_scaling_sweep)(Extent, const T* gibbs, const T* v, const T* weights, T* u,
                                 T* column_sum);
  void (*adjoint_sweep)(Extent, const T* gibbs, const T* x, const T* factor, T* w, T* column_sum);
  void (*weighted_column_sum)(Extent, const T* gibbs, const T* w, T* column_sum);
};

}  // namespace asap::attention
