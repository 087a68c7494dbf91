#pragma once

#include <cstdint>

namespace asap::attention {

// How one head is cut into tiles: a block of kRowBlock queries meets a block of kKeyBlock keys.
inline constexpr std::int64_t kRowBlock = 24;
inline constexpr std::int64_t kKeyBlock = 96;
/// Rows of a tile are computed and read in groups of this many; rows beyond those of the head are
/// 0.
inline constexpr std::int64_t kTileRows = 8;
/// Vectors over rows or columns are padded to a multiple of this.
inline constexpr std::int64_t kTilePadding = 16;
/// Length of a vector over the rows of a block that whole SIMD vectors may read and write.
inline constexpr std::int64_t kRowVector = 32;

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

/// Sums between these bounds have lost nothing that matters: terms below the smallest normal float,
/// 2^-126, are at most 2^-30 of them. NaN is out of range.
constexpr bool sum_in_range(float sum) { return sum >= 0x1p-96f && sum <= 0x1p100f; }

/// The upper half of a float: its sign, exponent and seven bits of mantissa.
struct BFloat16 {
  std::uint16_t bits;
};

}  // namespace asap::attention
