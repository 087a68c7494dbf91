#pragma once

#include <cstdint>

namespace asap::attention {

/// The kernels of one instruction set; row_sums.h says what each computes. `rows` = n, `stride` =
/// padded m.
struct RowSumsKernelSet {
  struct Extent {
    std::int64_t rows, stride;
  };
  /// One column of a stack of two: factors of the columns, and the sums that they weigh.
  struct Weighted {
    const float* factors;
    float* sums;
  };
  void (*exponentiate)(Extent, float* scores, const float* row_shift, const float* column_shift,
                       Weighted first, Weighted second);
  void (*row_sums)(Extent, const float* gibbs, const float* v, float* sums);
};

}  // namespace asap::attention
