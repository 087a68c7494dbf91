#pragma once

#include "attention/tiled/tile_kernels.h"
#include "tensor/simd/bfloat16_unit.h"

namespace asap::attention {

/// Tile kernels on products of bfloat16 that are added up in float: on the dot product of
/// AVX512_BF16, up to twice as fast as products of floats, or on the tile registers of AMX. Debian 12's Highway does not know the
/// instruction, hence intrinsics.
///
/// Operands lie in pairs: element (2 p, c) and (2 p + 1, c) of a matrix side by side, [rows / 2,
/// columns, 2].
struct BFloat16KernelSet {
  /// Rounds a packed key block [D, columns] (panel by panel, see pack_keys) to pairs; D even.
  void (*pair_keys)(const float* packed, std::int64_t inner, std::int64_t columns, BFloat16* out);
  /// Rounds values [keys, value_width] to pairs, [round_up(keys, kTilePadding) / 2, value_width, 2]
  /// with zeros below.
  void (*pair_values)(const float* values, std::int64_t keys, std::int64_t value_width,
                      BFloat16* out);
  /// gibbs_tile on rounded queries x: [rows, D] and paired keys.
  void (*gibbs_tile)(const GibbsTile& tile, const BFloat16* x, const BFloat16* keys, float* out,
                     float* row_sums);
  /// gibbs_tile_columns on the same; entries are rounded once they are added up.
  void (*gibbs_tile_columns)(const GibbsTile& tile, const BFloat16* x, const BFloat16* keys,
                             BFloat16* out, float* column_sums, const MemoryAhead& ahead);
  /// narrow_tile with the processor's own rounding instruction.
  void (*narrow)(const float* tile, std::int64_t count, BFloat16* out);
  /// out: [kRowBlock, value_width] += K V over a tile K: [kRowBlock, columns], of which `keys`
  /// columns count, and paired values.
  void (*add_values)(const BFloat16* tile, std::int64_t rows, std::int64_t columns,
                     const BFloat16* values, std::int64_t keys, std::int64_t value_width,
                     float* out);
};

/// Null when this processor or this build lacks AVX512_BF16; on processors with AMX its kernels.
const BFloat16KernelSet* bfloat16_kernels();
/// Those of a lesser unit, or null where the processor lacks it: to compare them.
const BFloat16KernelSet* bfloat16_kernels(tensor::BFloat16Unit unit);

}  // namespace asap::attention
