#pragma once

#include "attention/tiled/tile_layout.h"
#include "tensor/core/view.h"

namespace asap::attention {

// Attention in tiles that stay in cache: a block of kRowBlock queries meets a block of kKeyBlock
// keys, the scores are exponentiated in the registers in which the product leaves them, and what
// follows (row sums, column sums, the product with the values) reads the tile from L1. Float only,
// vectorised for the processor at run time, single-threaded.
//
// Everything is in base 2: queries and keys carry √(score_scale log2 e), so that K = 2^(x . y +
// offsets).

/// One block of queries against one block of keys.
struct GibbsTile {
  const float* x;           ///< [rows, D], row-major
  std::int64_t inner;       ///< D
  std::int64_t rows;        ///< at most kRowBlock; x and row_offset are readable to a multiple of
                            ///< kTileRows
  const float* keys;        ///< the packed key block
  std::int64_t columns;     ///< its width
  const float* row_offset;  ///< [rows]
  const float* column_offset;  ///< [columns]; -infinity for padding
};
/// out_ij = 2^(x_i . y_j + row_offset_i + column_offset_j), [kRowBlock, columns]; row_sums:
/// [kRowBlock, 16], whose rows add up to the sums, is added to.
void gibbs_tile(const GibbsTile& tile, float* out, float* row_sums);

/// Memory that will be read soon.
struct MemoryAhead {
  const void* begin = nullptr;
  std::int64_t bytes = 0;
};
/// The same entries, but column_sums: [columns] is added to instead of row sums. Meanwhile the
/// memory `ahead` is fetched to the second-level cache, at most one line per step of the inner
/// products.
void gibbs_tile_columns(const GibbsTile& tile, float* out, float* column_sums,
                        const MemoryAhead& ahead);

/// sums_i = sum of row i of partial: [rows, 16] -> [rows].
void reduce_row_sums(const float* partial, std::int64_t rows, float* sums);

/// column_sums_j += sum_i weights_i K_ij over a tile K: [kRowBlock, columns]; weights: [kRowBlock],
/// 0 for rows that are padding (`rows` is rounded up to kTileRows).
void add_column_sums(const float* tile, std::int64_t rows, std::int64_t columns,
                     const float* weights, float* column_sums);
/// The same over a tile of bfloat16.
void add_column_sums(const BFloat16* tile, std::int64_t rows, std::int64_t columns,
                     const float* weights, float* column_sums);

/// partial: [kRowBlock, 16] += lanes of the products K_ij v_j, over a tile K: [kRowBlock, columns].
void add_row_dots(const float* tile, std::int64_t rows, std::int64_t columns, const float* v,
                  float* partial);
/// The same over a tile of bfloat16.
void add_row_dots(const BFloat16* tile, std::int64_t rows, std::int64_t columns, const float* v,
                  float* partial);

/// out: [kRowBlock, value_width] += K V over a tile K: [kRowBlock, columns] and its `keys` rows of
/// V: [keys, value_width]; value_width is a multiple of 16.
void add_values(const float* tile, std::int64_t rows, std::int64_t columns, const float* values,
                std::int64_t keys, std::int64_t value_width, float* out);

/// A tile of `count` = rows * columns values rounded to bfloat16, to nearest even, and back.
void narrow_tile(const float* tile, std::int64_t count, BFloat16* out);
void widen_tile(const BFloat16* tile, std::int64_t count, float* out);

}  // namespace asap::attention
