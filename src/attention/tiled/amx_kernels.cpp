#include "attention/tiled/amx_kernels.h"

#ifdef ASAP_COMPILES_AMX
#include <immintrin.h>

#include "attention/tiled/bfloat16_lanes-inl.h"

// Compiled for AMX as bfloat16_kernels.cpp is for AVX512_BF16, with the same restrictions.
//
// A tile register holds up to 16 rows of 64 bytes. One product adds A B to C for A: [16, 32] and
// B: [32, 16] of bfloat16, B in pairs, and C: [16, 16] of float. A block of 24 queries is 16 rows
// and 8.

namespace asap::attention {
namespace {

constexpr std::int64_t kDepth = 32;  // of one product
constexpr int kBlockColumns = 3 * kLanes;

/// For widths that do not fill tile registers.
const BFloat16KernelSet& without_tiles() {
  return *bfloat16_kernels(tensor::BFloat16Unit::dot_product);
}

// Tile registers: sums of two vectors of columns, upper 16 and lower 8 rows; their operands. GCC's
// intrinsics paste the number into assembly, so they have to be macros.
#define ASAP_UPPER0 0
#define ASAP_UPPER1 1
#define ASAP_LOWER0 2
#define ASAP_LOWER1 3
#define ASAP_LEFT_UPPER 4
#define ASAP_LEFT_LOWER 5
#define ASAP_RIGHT0 6
#define ASAP_RIGHT1 7

struct alignas(64) TileConfiguration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

/// Products of this depth, an even number of at most 32.
inline void configure(std::int64_t depth) {
  TileConfiguration c;
  for (int i = 0; i < 8; ++i) c.row_bytes[i] = 64, c.rows[i] = 16;
  c.rows[ASAP_LOWER0] = c.rows[ASAP_LOWER1] = c.rows[ASAP_LEFT_LOWER] = 8;
  c.row_bytes[ASAP_LEFT_UPPER] = c.row_bytes[ASAP_LEFT_LOWER] = (std::uint16_t)(2 * depth);
  c.rows[ASAP_RIGHT0] = c.rows[ASAP_RIGHT1] = (std::uint8_t)(depth / 2);
  __asm__ volatile("" : : "r"(&c) : "memory");  // GCC's intrinsic claims to read 8 bytes only
  _tile_loadconfig(&c);
}

/// Which of the two tiles of rows a block has.
struct RowTiles {
  bool upper, lower;
  std::int64_t lower_row;

  explicit RowTiles(std::int64_t rows)
      : upper(rows > 8), lower(rows <= 8 || rows > 16), lower_row(rows > 16 ? 16 : 0) {}
};

inline bool fills_tiles(std::int64_t inner) {
  return inner <= kDepth ? inner % 2 == 0 : inner % kDepth == 0;
}

/// C += A B for two vectors of columns, or one. Rows of A are `left_stride` numbers apart, those of
/// B, which are pairs, `right_bytes` bytes.
template <bool two>
inline void add_products(const RowTiles& rows, const BFloat16* left, std::int64_t left_stride,
                         const BFloat16* right, std::int64_t right_bytes) {
  const std::int64_t left_bytes = 2 * left_stride;
  _tile_loadd(ASAP_RIGHT0, right, right_bytes);
  if constexpr (two) _tile_loadd(ASAP_RIGHT1, right + 2 * kLanes, right_bytes);
  if (rows.upper) {
    _tile_loadd(ASAP_LEFT_UPPER, left, left_bytes);
    _tile_dpbf16ps(ASAP_UPPER0, ASAP_LEFT_UPPER, ASAP_RIGHT0);
    if constexpr (two) _tile_dpbf16ps(ASAP_UPPER1, ASAP_LEFT_UPPER, ASAP_RIGHT1);
  }
  if (rows.lower) {
    _tile_loadd(ASAP_LEFT_LOWER, left + rows.lower_row * left_stride, left_bytes);
    _tile_dpbf16ps(ASAP_LOWER0, ASAP_LEFT_LOWER, ASAP_RIGHT0);
    if constexpr (two) _tile_dpbf16ps(ASAP_LOWER1, ASAP_LEFT_LOWER, ASAP_RIGHT1);
  }
}

template <bool two>
inline void store_sums(const RowTiles& rows, float* out, std::int64_t stride) {
  const std::int64_t bytes = 4 * stride;
  if (rows.upper) {
    _tile_stored(ASAP_UPPER0, out, bytes);
    if constexpr (two) _tile_stored(ASAP_UPPER1, out + kLanes, bytes);
  }
  if (rows.lower) {
    float* lower = out + rows.lower_row * stride;
    _tile_stored(ASAP_LOWER0, lower, bytes);
    if constexpr (two) _tile_stored(ASAP_LOWER1, lower + kLanes, bytes);
  }
}

template <bool two>
inline void load_sums(const RowTiles& rows, const float* out, std::int64_t stride) {
  const std::int64_t bytes = 4 * stride;
  if (rows.upper) {
    _tile_loadd(ASAP_UPPER0, out, bytes);
    if constexpr (two) _tile_loadd(ASAP_UPPER1, out + kLanes, bytes);
  }
  if (rows.lower) {
    const float* lower = out + rows.lower_row * stride;
    _tile_loadd(ASAP_LOWER0, lower, bytes);
    if constexpr (two) _tile_loadd(ASAP_LOWER1, lower + kLanes, bytes);
  }
}

/// Products of all rows with `two` vectors of a panel of `width` columns: out: [rows,
/// kBlockColumns].
template <bool two>
inline void score_vectors(const RowTiles& rows, const BFloat16* x, const BFloat16* panel,
                          std::int64_t inner, std::int64_t width, float* out) {
  _tile_zero(ASAP_UPPER0);
  _tile_zero(ASAP_LOWER0);
  if constexpr (two) {
    _tile_zero(ASAP_UPPER1);
    _tile_zero(ASAP_LOWER1);
  }
  for (std::int64_t k = 0; k < inner; k += kDepth)
    add_products<two>(rows, x + k, inner, panel + k * width, 4 * width);
  store_sums<two>(rows, out, kBlockColumns);
}

template <int Vectors, class Sums>
void gibbs_panel(const GibbsTile& t, const BFloat16* x, const BFloat16* keys, std::int64_t column,
                 Sums sums, LinesAhead& ahead) {
  alignas(64) float products[kRowBlock * kBlockColumns];
  const RowTiles rows(t.rows);
  const BFloat16* panel = keys + column * t.inner;
  constexpr std::int64_t kWidth = Vectors * kLanes;
  score_vectors<(Vectors > 1)>(rows, x, panel, t.inner, kWidth, products);
  if constexpr (Vectors == 3)
    score_vectors<false>(rows, x, panel + 4 * kLanes, t.inner, kWidth, products + 2 * kLanes);
  for (std::int64_t row = 0; row < t.rows; row += kScoreRows) {
    __m512 score[kScoreRows][Vectors];
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) {
      const __m512 offset = _mm512_loadu_ps(t.column_offset + column + v * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < kScoreRows; ++r)
        score[r][v] =
            _mm512_add_ps(_mm512_add_ps(offset, _mm512_set1_ps(t.row_offset[row + r])),
                          _mm512_load_ps(products + (row + r) * kBlockColumns + v * kLanes));
    }
    if constexpr (Sums::kFetchesAhead)
      for (int line = 0; line < 16; ++line) ahead.fetch_next();
    sums.template write<Vectors>(t, row, column, score);
  }
}

template <class Sums>
inline void gibbs_panels(const GibbsTile& t, const BFloat16* x, const BFloat16* keys, Sums sums,
                         LinesAhead ahead) {
  configure(t.inner < kDepth ? t.inner : kDepth);
  for_each_panel(t.columns, [&](std::int64_t column, auto vectors) {
    gibbs_panel<decltype(vectors)::kCount>(t, x, keys, column, sums, ahead);
  });
  _tile_release();
}

void gibbs_tile(const GibbsTile& t, const BFloat16* x, const BFloat16* keys, float* out,
                float* row_sums) {
  if (!fills_tiles(t.inner)) return without_tiles().gibbs_tile(t, x, keys, out, row_sums);
  gibbs_panels(t, x, keys, RowSums{out, row_sums}, LinesAhead{});
}

void gibbs_tile_columns(const GibbsTile& t, const BFloat16* x, const BFloat16* keys, BFloat16* out,
                        float* column_sums, const MemoryAhead& memory) {
  if (!fills_tiles(t.inner))
    return without_tiles().gibbs_tile_columns(t, x, keys, out, column_sums, memory);
  gibbs_panels(t, x, keys, ColumnSums{out, column_sums}, LinesAhead::of(memory));
}

/// out += K V over keys [begin, end), a multiple of `depth`.
template <bool two>
inline void add_value_vectors(const RowTiles& rows, const BFloat16* tile, std::int64_t columns,
                              const BFloat16* values, std::int64_t begin, std::int64_t end,
                              std::int64_t depth, std::int64_t value_width, float* out) {
  load_sums<two>(rows, out, value_width);
  for (std::int64_t j = begin; j < end; j += depth)
    add_products<two>(rows, tile + j, columns, values + j * value_width, 4 * value_width);
  store_sums<two>(rows, out, value_width);
}

inline void add_value_range(const RowTiles& rows, const BFloat16* tile, std::int64_t columns,
                            const BFloat16* values, std::int64_t begin, std::int64_t end,
                            std::int64_t depth, std::int64_t value_width, float* out) {
  if (begin == end) return;
  configure(depth);
  std::int64_t first = 0;
  for (; first + 2 * kLanes <= value_width; first += 2 * kLanes)
    add_value_vectors<true>(rows, tile, columns, values + 2 * first, begin, end, depth, value_width,
                            out + first);
  if (first < value_width)
    add_value_vectors<false>(rows, tile, columns, values + 2 * first, begin, end, depth,
                             value_width, out + first);
}

void add_values(const BFloat16* tile, std::int64_t row_count, std::int64_t columns,
                const BFloat16* values, std::int64_t keys, std::int64_t value_width, float* out) {
  const RowTiles rows(row_count);
  // What lies between `keys` and the end is zero on both sides.
  const std::int64_t end = padded_rows(keys), whole = end / kDepth * kDepth;
  add_value_range(rows, tile, columns, values, 0, whole, kDepth, value_width, out);
  add_value_range(rows, tile, columns, values, whole, end, end - whole, value_width, out);
  _tile_release();
}

BFloat16KernelSet with_tiles() {
  BFloat16KernelSet set = without_tiles();
  set.gibbs_tile = &gibbs_tile;
  set.gibbs_tile_columns = &gibbs_tile_columns;
  set.add_values = &add_values;
  return set;
}

}  // namespace

const BFloat16KernelSet* amx_kernels() {
  static const BFloat16KernelSet set = with_tiles();
  return &set;
}

}  // namespace asap::attention

#else

namespace asap::attention {

const BFloat16KernelSet* amx_kernels() { return nullptr; }

}  // namespace asap::attention
#endif
