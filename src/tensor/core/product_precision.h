#pragma once

namespace asap::tensor {

/// The precision of matrix products.
enum class ProductPrecision {
  single,  ///< that of their operands
  /// On processors with AVX512_BF16: operands, which must be float, are rounded to bfloat16
  /// (2^-9 of each) and added up in float, up to twice as fast. Elsewhere the same as `single`.
  bfloat16,
};

}  // namespace asap::tensor
