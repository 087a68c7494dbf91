#pragma once

#include "tensor/kernels/gemm_kernel_set.h"

namespace asap::tensor {

/// Room for the rounded operands of a product, two values of bfloat16 in each number.
struct BFloat16Operands {
  static constexpr std::int64_t kInnerBlock = 512;  ///< inner indices at once, even
  static constexpr std::int64_t kRowBlock = 192;    ///< rows of op(A) at once
  static constexpr std::int64_t kColumns = 16;      ///< columns of op(B) are padded to a multiple

  static constexpr std::int64_t kLeftPairs = kRowBlock * kInnerBlock / 2 + 8;

  std::int32_t* left;   ///< [kLeftPairs]
  std::int32_t* right;  ///< [padded n * kInnerBlock / 2]
};

/// A product whose operands are rounded to bfloat16, to nearest even, and whose sums are floats.
using BFloat16Gemm = void (*)(const GemmCall<float>& call, const BFloat16Operands& room);

/// The product on the dot product of AVX512_BF16. Null when this processor or this build lacks it.
BFloat16Gemm bfloat16_gemm();

}  // namespace asap::tensor
