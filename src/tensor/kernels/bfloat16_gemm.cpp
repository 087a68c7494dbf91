#include "tensor/kernels/bfloat16_gemm.h"

#ifdef ASAP_COMPILES_AVX512_BF16

#include "tensor/simd/bfloat16_pairs-inl.h"
#include "tensor/simd/bfloat16_unit.h"

// No copy of tensor/simd/skeleton.cpp: Highway 1.0.3 does not know AVX512_BF16. CMake compiles this
// file for it, with intrinsics, and bfloat16_gemm() at its end decides whether it may run.
//
// The file must use no inline function of a header outside of it: the linker might keep the copy
// made here for callers on other processors.

namespace asap::tensor {
namespace {

using Call = GemmCall<float>;

constexpr std::int64_t kLanes = 16;
constexpr std::int64_t kTileRows = 8;
constexpr std::int64_t kInnerBlock = BFloat16Operands::kInnerBlock;
constexpr std::int64_t kRowBlock = BFloat16Operands::kRowBlock;

/// Two values of bfloat16 side by side, those of inner indices 2 p and 2 p + 1.
using Pair = std::int32_t;

constexpr std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

/// The first `count` lanes. Masked stores are slow on some processors: only tails use them.
__mmask16 first_lanes(std::int64_t count) { return static_cast<__mmask16>((1U << count) - 1U); }

__m512 load(const float* from, std::int64_t count) {
  return count >= kLanes ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(first_lanes(count), from);
}

/// `inner` values as ceil(inner / 2) pairs, a zero behind an odd one. Writes up to 8 pairs.
void round_row(const float* from, std::int64_t inner, Pair* out) {
  for (std::int64_t k = 0; k < inner; k += kLanes)
    _mm256_storeu_si256((__m256i*)(out + k / 2),
                        (__m256i)_mm512_cvtneps_pbh(load(from + k, inner - k)));
}

/// `columns` columns of `inner` rows as pairs [ceil(inner / 2), width], zeros behind them.
void pair_rows(const float* from, std::int64_t stride, std::int64_t inner, std::int64_t columns,
               std::int64_t width, Pair* out) {
  for (std::int64_t k = 0; k < inner; k += 2, from += 2 * stride, out += width)
    for (std::int64_t j = 0; j < columns; j += kLanes) {
      const __m512 even = load(from + j, columns - j);
      const __m512 odd = k + 1 < inner ? load(from + stride + j, columns - j) : _mm512_setzero_ps();
      _mm512_storeu_si512(out + j, pair(even, odd));
    }
}

/// A square of 16 x 16 pairs, its rows 16 of `stride` floats, transposed.
void transpose_square(const float* from, std::int64_t stride, std::int64_t inner,
                      std::int64_t columns, std::int64_t width, Pair* out) {
  __m512i row[kLanes];
#pragma GCC unroll 16
  for (std::int64_t l = 0; l < kLanes; ++l) {
    const float* at = from + (l < columns ? l * stride : 0);
    const __m256i low = (__m256i)_mm512_cvtneps_pbh(load(at, inner));
    const __m256i high = inner > kLanes
                             ? (__m256i)_mm512_cvtneps_pbh(load(at + kLanes, inner - kLanes))
                             : _mm256_setzero_si256();
    row[l] = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  }
  // Pairs of rows, then of pairs, then quarters of vectors change places.
  __m512i next[kLanes];
#pragma GCC unroll 8
  for (int l = 0; l < kLanes; l += 2) {
    next[l] = _mm512_unpacklo_epi32(row[l], row[l + 1]);
    next[l + 1] = _mm512_unpackhi_epi32(row[l], row[l + 1]);
  }
#pragma GCC unroll 4
  for (int l = 0; l < kLanes; l += 4) {
    row[l] = _mm512_unpacklo_epi64(next[l], next[l + 2]);
    row[l + 1] = _mm512_unpackhi_epi64(next[l], next[l + 2]);
    row[l + 2] = _mm512_unpacklo_epi64(next[l + 1], next[l + 3]);
    row[l + 3] = _mm512_unpackhi_epi64(next[l + 1], next[l + 3]);
  }
  const std::int64_t pairs = (inner + 1) / 2;
#pragma GCC unroll 4
  for (int l = 0; l < 4; ++l) {
    const __m512i a = _mm512_shuffle_i32x4(row[l], row[l + 4], 0x88);
    const __m512i b = _mm512_shuffle_i32x4(row[l], row[l + 4], 0xdd);
    const __m512i c = _mm512_shuffle_i32x4(row[l + 8], row[l + 12], 0x88);
    const __m512i d = _mm512_shuffle_i32x4(row[l + 8], row[l + 12], 0xdd);
    const __m512i column[] = {_mm512_shuffle_i32x4(a, c, 0x88), _mm512_shuffle_i32x4(b, d, 0x88),
                              _mm512_shuffle_i32x4(a, c, 0xdd), _mm512_shuffle_i32x4(b, d, 0xdd)};
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q)
      if (4 * q + l < pairs) _mm512_storeu_si512(out + (4 * q + l) * width, column[q]);
  }
}

/// `columns` rows of `inner` values each as pairs [ceil(inner / 2), width].
void pair_columns(const float* from, std::int64_t stride, std::int64_t inner, std::int64_t columns,
                  std::int64_t width, Pair* out) {
  for (std::int64_t j = 0; j < columns; j += kLanes)
    for (std::int64_t k = 0; k < inner; k += 2 * kLanes)
      transpose_square(from + j * stride + k, stride, inner - k, columns - j, width,
                       out + k / 2 * width + j);
}

/// A block of rows of op(A), a panel of op(B) and the tile of C they give.
struct Tile {
  const Pair* a;
  std::int64_t a_row, a_pair;
  const Pair* b;  // [pairs][Vectors * kLanes]
  std::int64_t pairs;
  float* c;
  std::int64_t c_stride;
  std::int64_t last;  // live lanes of the last vector of C
  float alpha, beta;
  const float* bias;  // of these columns, or null
};

template <int Rows, int Vectors>
inline __attribute__((always_inline)) void run_tile(const Tile& t) {
  __m512 sum[Rows][Vectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) {
      sum[r][v] = _mm512_setzero_ps();
      __builtin_prefetch(t.c + r * t.c_stride + v * kLanes);
    }
  const Pair* a = t.a;
  const Pair* b = t.b;
  for (std::int64_t p = 0; p < t.pairs; ++p, a += t.a_pair, b += Vectors * kLanes) {
    __m512bh column[Vectors];
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) column[v] = (__m512bh)_mm512_loadu_si512(b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const __m512bh left = (__m512bh)_mm512_set1_epi32(a[r * t.a_row]);
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v) sum[r][v] = _mm512_dpbf16_ps(sum[r][v], left, column[v]);
    }
  }
#pragma GCC unroll 3
  for (int v = 0; v < Vectors; ++v) {
    const std::int64_t live = v + 1 == Vectors ? t.last : kLanes;
    const __m512 bias = t.bias ? load(t.bias + v * kLanes, live) : _mm512_setzero_ps();
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      float* c = t.c + r * t.c_stride + v * kLanes;
      __m512 result = _mm512_fmadd_ps(_mm512_set1_ps(t.alpha), sum[r][v], bias);
      if (t.beta != 0) result = _mm512_fmadd_ps(_mm512_set1_ps(t.beta), load(c, live), result);
      if (live == kLanes)
        _mm512_storeu_ps(c, result);
      else
        _mm512_mask_storeu_ps(c, first_lanes(live), result);
    }
  }
}

template <int Rows, int Vectors>
inline __attribute__((always_inline)) void run_tile_of(const Tile& t, std::int64_t rows) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return run_tile_of<Rows - 1, Vectors>(t, rows);
  }
  run_tile<Rows, Vectors>(t);
}

/// All rows of a panel, in tiles of nearly equal height.
template <int Vectors>
void run_rows(Tile t, std::int64_t rows) {
  for (std::int64_t tiles = (rows + kTileRows - 1) / kTileRows; tiles > 0; --tiles) {
    const std::int64_t count = (rows + tiles - 1) / tiles;
    run_tile_of<kTileRows, Vectors>(t, count);
    t.a += count * t.a_row;
    t.c += count * t.c_stride;
    rows -= count;
  }
}

void run_panel(const Tile& t, std::int64_t rows, std::int64_t vectors) {
  if (vectors == 3) run_rows<3>(t, rows);
  if (vectors == 2) run_rows<2>(t, rows);
  if (vectors == 1) run_rows<1>(t, rows);
}

/// Rows [first, first + rows) of op(A), inner indices [row, row + inner), as pairs.
void round_left(const Call& call, std::int64_t first, std::int64_t rows, std::int64_t row,
                std::int64_t inner, Tile& tile, Pair* out) {
  const float* from = call.a + first * call.a_row + row * call.a_inner;
  tile.a = out;
  if (call.a_inner == 1) {
    tile.a_row = (inner + 1) / 2;
    tile.a_pair = 1;
    for (std::int64_t i = 0; i < rows; ++i)
      round_row(from + i * call.a_row, inner, out + i * tile.a_row);
  } else {
    const std::int64_t width = (rows + kLanes - 1) / kLanes * kLanes;
    tile.a_row = 1;
    tile.a_pair = width;
    pair_rows(from, call.a_inner, inner, rows, width, out);
  }
}

void run_block(const Call& call, std::int64_t row, std::int64_t inner, const BFloat16Operands& to) {
  for (std::int64_t first_row = 0; first_row < call.m; first_row += kRowBlock) {
    const std::int64_t rows = smaller(kRowBlock, call.m - first_row);
    Tile tile{};
    tile.pairs = (inner + 1) / 2;
    tile.alpha = call.alpha;
    tile.beta = row == 0 ? call.beta : 1.0f;
    tile.c_stride = call.c_stride;
    round_left(call, first_row, rows, row, inner, tile, to.left);
    Pair* packed = to.right;
    for (std::int64_t first = 0; first < call.n;) {
      const std::int64_t vectors = panel_vectors((call.n - first + kLanes - 1) / kLanes),
                         width = vectors * kLanes;
      const std::int64_t columns = smaller(call.n - first, width);
      if (first_row == 0) {
        const float* from = call.b + (call.b_transposed ? first * call.b_stride + row
                                                        : row * call.b_stride + first);
        const auto pack = call.b_transposed ? &pair_columns : &pair_rows;
        pack(from, call.b_stride, inner, columns, width, packed);
      }
      tile.b = packed;
      tile.c = call.c + first_row * call.c_stride + first;
      tile.last = columns - (vectors - 1) * kLanes;
      tile.bias = row == 0 && call.bias ? call.bias + first : nullptr;
      run_panel(tile, rows, vectors);
      packed += tile.pairs * width;
      first += columns;
    }
  }
}

void run(const Call& call, const BFloat16Operands& room) {
  for (std::int64_t row = 0; row < call.k; row += kInnerBlock)
    run_block(call, row, smaller(kInnerBlock, call.k - row), room);
}

}  // namespace

BFloat16Gemm bfloat16_gemm() { return bfloat16_unit() == BFloat16Unit::none ? nullptr : &run; }

}  // namespace asap::tensor

#else

namespace asap::tensor {

BFloat16Gemm bfloat16_gemm() { return nullptr; }

}  // namespace asap::tensor
#endif
