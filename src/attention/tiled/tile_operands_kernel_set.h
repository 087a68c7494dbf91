#pragma once

#include "tensor/core/view.h"

namespace asap::attention {

/// What tile_operands.cpp compiles once per instruction set; tile_operands.h says what each
/// computes.
struct TileOperandsKernelSet {
  float (*pack_keys)(tensor::MatrixView<const float> keys, float factor, const float* mean,
                     float* packed);
  void (*centre_queries)(tensor::MatrixView<const float> queries, float factor, const float* mean,
                         tensor::MatrixView<float> x, float* norms);
  void (*project_tokens)(tensor::MatrixView<const float> tokens,
                         tensor::MatrixView<const float> directions, float* lines,
                         tensor::MatrixView<float> out);
  void (*project_keys)(const float* packed, std::int64_t m,
                       tensor::MatrixView<const float> directions, tensor::MatrixView<float> out);
  void (*pack_values)(tensor::MatrixView<const float> values, const float* factors, float* out);
  void (*log2_values)(const float* x, std::int64_t count, float* out);
  void (*exp2_values)(const float* x, std::int64_t count, float* out);
};

}  // namespace asap::attention
