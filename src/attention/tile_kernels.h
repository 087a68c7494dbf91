#pragma once

#include <cstdint>

#include "tensor/view.h"

namespace asap {

/// Attention in tiles that stay in cache: a block of kRowBlock queries meets a block of kKeyBlock
/// keys, the scores are exponentiated in the registers in which the product leaves them, and what
/// follows (row sums, column sums, the product with the values) reads the tile from L1. Float only,
/// vectorised for the processor at run time, single-threaded.
///
/// Everything is in base 2: queries and keys carry √(score_scale log2 e), so that K = 2^(x . y +
/// offsets).
inline constexpr std::int64_t kRowBlock = 24;
inline constexpr std::int64_t kKeyBlock = 96;
/// Rows of a tile are computed, and read, in groups of so many; what is no row of the head becomes
/// 0.
inline constexpr std::int64_t kTileRows = 8;
/// Vectors over rows or columns are padded to a multiple of this.
inline constexpr std::int64_t kTilePadding = 16;

constexpr std::int64_t round_up(std::int64_t count, std::int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

/// The last key block is wider by kTilePadding rather than to leave a block of that width alone.
inline constexpr std::int64_t kWidestKeyBlock = kKeyBlock + kTilePadding;

/// Number of key blocks of m keys, and how wide block `index` is, padding included. Block `index`
/// begins at key index * kKeyBlock.
constexpr std::int64_t key_blocks(std::int64_t m) {
  const std::int64_t padded = round_up(m, kTilePadding);
  return padded <= kWidestKeyBlock ? 1 : (padded - kTilePadding + kKeyBlock - 1) / kKeyBlock;
}
constexpr std::int64_t key_block_width(std::int64_t m, std::int64_t index) {
  const std::int64_t rest = round_up(m, kTilePadding) - index * kKeyBlock;
  return rest <= kWidestKeyBlock ? rest : kKeyBlock;
}

/// The upper half of a float: its sign, exponent and seven bits of mantissa.
struct BFloat16 {
  std::uint16_t bits;
};

/// Centred, scaled keys in the order in which tiles read them: [round_up(m, 16) * D] values, key
/// block `index` from index * kKeyBlock * D on. packed_j = factor k_j - mean; padding is zero.
/// Returns the largest |packed_j|.
float pack_keys(MatrixView<const float> keys, float factor, VectorView<const float> mean,
                float* packed);

/// x_i = factor q_i - mean, row-major [round_up(n, kRowBlock), D] with zeros below, and norms_i =
/// |x_i|
/// ([round_up(n, kRowBlock)]).
void centre_queries(MatrixView<const float> queries, float factor, VectorView<const float> mean,
                    MatrixView<float> x, VectorView<float> norms);

/// out_pi = directions_p . token_i. tokens: [n, D], directions: [P, D], out: [P, at least
/// round_up(n, 16)].
void project_tokens(MatrixView<const float> tokens, MatrixView<const float> directions,
                    MatrixView<float> out);

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

/// sums_i = sum of row i of partial: [rows, 16] -> [rows].
void reduce_row_sums(const float* partial, std::int64_t rows, float* sums);

/// column_sums_j += sum_i weights_i K_ij over a tile K: [kRowBlock, columns]; weights: [kRowBlock],
/// 0 for rows that are padding (`rows` is rounded up to kTileRows).
void add_column_sums(const float* tile, std::int64_t rows, std::int64_t columns,
                     const float* weights, float* column_sums);

void add_column_sums(const BFloat16* tile, std::int64_t rows, std::int64_t columns,
                     const float* weights, float* column_sums);

/// partial: [kRowBlock, 16] += lanes of the products K_ij v_j, over a tile K: [kRowBlock, columns].
void add_row_dots(const float* tile, std::int64_t rows, std::int64_t columns, const float* v,
                  float* partial);

void add_row_dots(const BFloat16* tile, std::int64_t rows, std::int64_t columns, const float* v,
                  float* partial);

/// out: [kRowBlock, value_width] += K V over a tile K: [kRowBlock, columns] and its `keys` rows of
/// V: [keys, value_width]; value_width is a multiple of 16.
void add_values(const float* tile, std::int64_t rows, std::int64_t columns, const float* values,
                std::int64_t keys, std::int64_t value_width, float* out);

/// A tile rounded to bfloat16 and back: [rows, columns] values.
void narrow_tile(const float* tile, std::int64_t count, BFloat16* out);
void widen_tile(const BFloat16* tile, std::int64_t count, float* out);

/// out_i = log2 x_i and out_i = 2^x_i.
void log2_values(VectorView<const float> x, VectorView<float> out);
void exp2_values(VectorView<const float> x, VectorView<float> out);

/// out: [m, round_up(width, 16)] = factors_j values_j, zeros behind each row.
void pack_values(MatrixView<const float> values, VectorView<const float> factors, float* out);

}  // namespace asap
