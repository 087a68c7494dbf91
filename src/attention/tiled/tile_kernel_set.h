#pragma once

#include "attention/tiled/tile_kernels.h"

namespace asap::attention {

/// The tile kernels of one instruction set; tile_kernels.h says what each computes.
struct TileKernelSet {
  void (*gibbs_tile)(const GibbsTile& tile, float* out, float* row_sums);
  void (*gibbs_tile_columns)(const GibbsTile& tile, float* out, float* column_sums,
                             const MemoryAhead& ahead);
  void (*reduce_row_sums)(const float* partial, std::int64_t rows, float* sums);
  void (*add_column_sums)(const float* tile, std::int64_t rows, std::int64_t columns,
                          const float* weights, float* column_sums);
  void (*add_column_sums_bfloat16)(const BFloat16* tile, std::int64_t rows, std::int64_t columns,
                                   const float* weights, float* column_sums);
  void (*add_row_dots)(const float* tile, std::int64_t rows, std::int64_t columns, const float* v,
                       float* partial);
  void (*add_row_dots_bfloat16)(const BFloat16* tile, std::int64_t rows, std::int64_t columns,
                                const float* v, float* partial);
  void (*add_values)(const float* tile, std::int64_t rows, std::int64_t columns,
                     const float* values, std::int64_t keys, std::int64_t value_width, float* out);
  void (*narrow_tile)(const float* tile, std::int64_t count, BFloat16* out);
  void (*widen_tile)(const BFloat16* tile, std::int64_t count, float* out);
};

}  // namespace asap::attention
