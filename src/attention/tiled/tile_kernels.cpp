#include "attention/tiled/tile_kernels.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/tiled/tile_kernels.cpp"
#include <hwy/foreach_target.h>

#include "attention/tiled/tile_kernel_set.h"
#include "attention/tiled/tile_panels-inl.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

using namespace tiles;

// Accumulators of a tile: 24 of the 32 registers of AVX-512 and NEON, 12 of the 16 of others; what
// is left holds the operands and the coefficients of the exponential.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr int kScoreRows = 8;     // x kPanelVectors
constexpr int kValueVectors = 4;  // x kValueRows
#else
constexpr int kScoreRows = 4;
constexpr int kValueVectors = 2;
#endif
constexpr int kValueRows = 6;
static_assert(kTileRows % kScoreRows == 0 && kRowBlock % kTileRows == 0 &&
              kRowBlock % kValueRows == 0);

/// Lines of memory that prefetches ask for one by one.
class LinesAhead {
 public:
  explicit LinesAhead(const MemoryAhead& memory)
      : at_(static_cast<const char*>(memory.begin)),
        last_(at_ + std::max<std::int64_t>(0, memory.bytes - 1)) {}

  /// To the second-level cache: the first has no room for more than the tile at hand.
  HWY_INLINE void fetch_next() {
    __builtin_prefetch(at_, 0, 2);
    at_ = last_ - at_ > kLine ? at_ + kLine : last_;
  }

 private:
  static constexpr std::ptrdiff_t kLine = 64;
  const char* at_;
  const char* last_;
};

/// Which sums of its entries a tile adds up on the way.
enum class Sums { rows, columns };

/// kScoreRows queries from `row` on against the panel of keys at `column`. sums: see gibbs_tile and
/// gibbs_tile_columns.
template <int Vectors, Sums kind>
HWY_INLINE void gibbs_panel(const GibbsTile& t, std::int64_t row, std::int64_t column, float* out,
                            float* sums, LinesAhead& ahead) {
  const D d;
  V score[kScoreRows][Vectors];
  for (int v = 0; v < Vectors; ++v) {
    const V offset = hn::LoadU(d, t.column_offset + column + v * kLanes);
    for (int r = 0; r < kScoreRows; ++r)
      score[r][v] = hn::Add(offset, hn::Set(d, t.row_offset[row + r]));
  }
  const float* x = t.x + row * t.inner;
  const float* panel = t.keys + column * t.inner;
  for (std::int64_t k = 0; k < t.inner; ++k, panel += Vectors * kLanes) {
    if constexpr (kind == Sums::columns) ahead.fetch_next();
    V y[Vectors];
    for (int v = 0; v < Vectors; ++v) y[v] = hn::LoadU(d, panel + v * kLanes);
    for (int r = 0; r < kScoreRows; ++r) {
      const V left = hn::Set(d, x[r * t.inner + k]);
      for (int v = 0; v < Vectors; ++v) score[r][v] = hn::MulAdd(left, y[v], score[r][v]);
    }
  }
  float* to = out + row * t.columns + column;
  V column_sum[Vectors];
  if constexpr (kind == Sums::columns)
    for (int v = 0; v < Vectors; ++v) column_sum[v] = hn::LoadU(d, sums + column + v * kLanes);
      // Unrolled by force: were the scores indexed by a loop, they would live in memory.
#pragma GCC unroll 8
  for (int r = 0; r < kScoreRows; ++r) {
    V row_sum = hn::Zero(d);
    if constexpr (kind == Sums::rows) row_sum = hn::LoadU(d, sums + (row + r) * kTilePadding);
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) {
      const V value = exp2_fast(d, score[r][v]);
      hn::StoreU(value, d, to + r * t.columns + v * kLanes);
      if constexpr (kind == Sums::rows)
        row_sum = hn::Add(row_sum, value);
      else
        column_sum[v] = hn::Add(column_sum[v], value);
    }
    if constexpr (kind == Sums::rows) hn::StoreU(row_sum, d, sums + (row + r) * kTilePadding);
  }
  if constexpr (kind == Sums::columns)
    for (int v = 0; v < Vectors; ++v) hn::StoreU(column_sum[v], d, sums + column + v * kLanes);
}

template <Sums kind>
HWY_INLINE void gibbs_panels(const GibbsTile& t, float* out, float* sums,
                             const MemoryAhead& memory) {
  LinesAhead ahead(memory);
  for_each_panel(t.columns, [&](std::int64_t column, auto vectors) HWY_ATTR {
    for (std::int64_t row = 0; row < round_up(t.rows, kTileRows); row += kScoreRows)
      gibbs_panel<vectors, kind>(t, row, column, out, sums, ahead);
  });
}

void gibbs_tile(const GibbsTile& tile, float* out, float* row_sums) {
  gibbs_panels<Sums::rows>(tile, out, row_sums, {});
}

void gibbs_tile_columns(const GibbsTile& tile, float* out, float* column_sums,
                        const MemoryAhead& ahead) {
  gibbs_panels<Sums::columns>(tile, out, column_sums, ahead);
}

void reduce_row_sums(const float* partial, std::int64_t rows, float* sums) {
  const D d;
  for (std::int64_t i = 0; i < rows; ++i)
    sums[i] = hn::GetLane(hn::SumOfLanes(d, hn::LoadU(d, partial + i * kTilePadding)));
}

HWY_INLINE V load_entries(const float* entries) { return hn::LoadU(D(), entries); }
HWY_INLINE V load_entries(const BFloat16* entries) {
  const hn::RebindToUnsigned<D> bits;
  const hn::Rebind<std::uint16_t, D> short_bits;
  const auto narrow = hn::LoadU(short_bits, reinterpret_cast<const std::uint16_t*>(entries));
  return hn::BitCast(D(), hn::ShiftLeft<16>(hn::PromoteTo(bits, narrow)));
}

template <class Entry>
void add_column_sums(const Entry* tile, std::int64_t rows, std::int64_t columns,
                     const float* weights, float* column_sums) {
  const D d;
  for (std::int64_t r = 0; r < rows; r += kTileRows) {
    V weight[kTileRows];
    for (int q = 0; q < kTileRows; ++q) weight[q] = hn::Set(d, weights[r + q]);
    const Entry* row = tile + r * columns;
    for (std::int64_t j = 0; j < columns; j += kLanes) {
      V even = hn::LoadU(d, column_sums + j);
      V odd = hn::Zero(d);
#pragma GCC unroll 4
      for (int q = 0; q < kTileRows; q += 2) {
        even = hn::MulAdd(weight[q], load_entries(row + q * columns + j), even);
        odd = hn::MulAdd(weight[q + 1], load_entries(row + (q + 1) * columns + j), odd);
      }
      hn::StoreU(hn::Add(even, odd), d, column_sums + j);
    }
  }
}

template <class Entry>
void add_row_dots(const Entry* tile, std::int64_t rows, std::int64_t columns, const float* v,
                  float* partial) {
  const D d;
  for (std::int64_t r = 0; r < rows; r += kTileRows) {
    const Entry* row = tile + r * columns;
    V total[kTileRows];
    for (int q = 0; q < kTileRows; ++q) total[q] = hn::LoadU(d, partial + (r + q) * kTilePadding);
    for (std::int64_t j = 0; j < columns; j += kLanes) {
      const V factor = hn::LoadU(d, v + j);
#pragma GCC unroll 8
      for (int q = 0; q < kTileRows; ++q)
        total[q] = hn::MulAdd(load_entries(row + q * columns + j), factor, total[q]);
    }
    for (int q = 0; q < kTileRows; ++q) hn::StoreU(total[q], d, partial + (r + q) * kTilePadding);
  }
}

template <int Vectors>
HWY_INLINE void add_values_panel(const float* tile, std::int64_t columns, const float* values,
                                 std::int64_t keys, std::int64_t value_width, float* out) {
  const D d;
  V sum[kValueRows][Vectors];
  for (int r = 0; r < kValueRows; ++r)
    for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::LoadU(d, out + r * value_width + v * kLanes);
  for (std::int64_t j = 0; j < keys; ++j, values += value_width) {
    V value[Vectors];
    for (int v = 0; v < Vectors; ++v) value[v] = hn::LoadU(d, values + v * kLanes);
    for (int r = 0; r < kValueRows; ++r) {
      const V left = hn::Set(d, tile[r * columns + j]);
      for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::MulAdd(left, value[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kValueRows; ++r)
    for (int v = 0; v < Vectors; ++v) hn::StoreU(sum[r][v], d, out + r * value_width + v * kLanes);
}

void add_values(const float* tile, std::int64_t rows, std::int64_t columns, const float* values,
                std::int64_t keys, std::int64_t value_width, float* out) {
  for (std::int64_t first = 0; first < value_width;) {
    const std::int64_t vectors =
        std::min<std::int64_t>(kValueVectors, (value_width - first) / kLanes);
    for (std::int64_t r = 0; r < rows; r += kValueRows) {
      const float* rows_in = tile + r * columns;
      float* rows_out = out + r * value_width + first;
      if (vectors == 4)
        add_values_panel<4>(rows_in, columns, values + first, keys, value_width, rows_out);
      if (vectors == 3)
        add_values_panel<3>(rows_in, columns, values + first, keys, value_width, rows_out);
      if (vectors == 2)
        add_values_panel<2>(rows_in, columns, values + first, keys, value_width, rows_out);
      if (vectors == 1)
        add_values_panel<1>(rows_in, columns, values + first, keys, value_width, rows_out);
    }
    first += vectors * kLanes;
  }
}

void narrow_tile(const float* tile, std::int64_t count, BFloat16* out) {
  const D d;
  const hn::RebindToUnsigned<D> bits;
  const hn::RebindToSigned<D> whole;
  const hn::Rebind<std::uint16_t, D> short_bits;
  for (std::int64_t i = 0; i < count; i += kLanes) {
    // To nearest, ties to even.
    const auto value = hn::BitCast(bits, hn::LoadU(d, tile + i));
    const auto odd = hn::And(hn::ShiftRight<16>(value), hn::Set(bits, 1u));
    const auto rounded = hn::Add(value, hn::Add(odd, hn::Set(bits, 0x7fffu)));
    const auto high = hn::BitCast(whole, hn::ShiftRight<16>(rounded));
    hn::StoreU(hn::DemoteTo(short_bits, high), short_bits,
               reinterpret_cast<std::uint16_t*>(out + i));
  }
}

void widen_tile(const BFloat16* tile, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; i += kLanes) hn::StoreU(load_entries(tile + i), D(), out + i);
}

constexpr TileKernelSet kKernelSet = {
    .gibbs_tile = &gibbs_tile,
    .gibbs_tile_columns = &gibbs_tile_columns,
    .reduce_row_sums = &reduce_row_sums,
    .add_column_sums = &add_column_sums<float>,
    .add_column_sums_bfloat16 = &add_column_sums<BFloat16>,
    .add_row_dots = &add_row_dots<float>,
    .add_row_dots_bfloat16 = &add_row_dots<BFloat16>,
    .add_values = &add_values,
    .narrow_tile = &narrow_tile,
    .widen_tile = &widen_tile,
};

const TileKernelSet* kernel_set() { return &kKernelSet; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::attention {
namespace {

ASAP_DEFINE_KERNELS(TileKernelSet)

}  // namespace

void gibbs_tile(const GibbsTile& tile, float* out, float* row_sums) {
  kernels().gibbs_tile(tile, out, row_sums);
}

void gibbs_tile_columns(const GibbsTile& tile, float* out, float* column_sums,
                        const MemoryAhead& ahead) {
  kernels().gibbs_tile_columns(tile, out, column_sums, ahead);
}

void reduce_row_sums(const float* partial, std::int64_t rows, float* sums) {
  kernels().reduce_row_sums(partial, rows, sums);
}

void add_column_sums(const float* tile, std::int64_t rows, std::int64_t columns,
                     const float* weights, float* column_sums) {
  kernels().add_column_sums(tile, rows, columns, weights, column_sums);
}
void add_column_sums(const BFloat16* tile, std::int64_t rows, std::int64_t columns,
                     const float* weights, float* column_sums) {
  kernels().add_column_sums_bfloat16(tile, rows, columns, weights, column_sums);
}

void add_row_dots(const float* tile, std::int64_t rows, std::int64_t columns, const float* v,
                  float* partial) {
  kernels().add_row_dots(tile, rows, columns, v, partial);
}
void add_row_dots(const BFloat16* tile, std::int64_t rows, std::int64_t columns, const float* v,
                  float* partial) {
  kernels().add_row_dots_bfloat16(tile, rows, columns, v, partial);
}

void add_values(const float* tile, std::int64_t rows, std::int64_t columns, const float* values,
                std::int64_t keys, std::int64_t value_width, float* out) {
  kernels().add_values(tile, rows, columns, values, keys, value_width, out);
}

void narrow_tile(const float* tile, std::int64_t count, BFloat16* out) {
  kernels().narrow_tile(tile, count, out);
}

void widen_tile(const BFloat16* tile, std::int64_t count, float* out) {
  kernels().widen_tile(tile, count, out);
}

}  // namespace asap::attention
#endif  // HWY_ONCE
