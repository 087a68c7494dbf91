#pragma once

#include <cstdint>

namespace asap::attention {

/// The kernel of one instruction set; relaxed_sweep.h says what it computes.
struct RelaxedSweepKernelSet {
  struct Extent {
    std::int64_t rows, stride;  ///< n and padded m
  };
  /// d_s lies at differences + (s - 1) * difference_stride.
  struct Rows {
    float* dual;
    float* differences;
    std::int64_t difference_stride;
    const float* weights;
    std::int64_t count;  ///< t
  };
  void (*relaxed_sweep)(Extent, const float* gibbs, const float* v, const Rows& rows, float* u,
                        float* column_sum);
};

}  // namespace asap::attention
