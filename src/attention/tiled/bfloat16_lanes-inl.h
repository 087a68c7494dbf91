// What the kernels on bfloat16 of both instruction sets share: rounding, exponentials, and what
// becomes of scores. Included by source files that are compiled for AVX-512 with AVX512_BF16: all
// of it is in an unnamed namespace, so that no copy reaches callers on other processors.
#pragma once

#include <immintrin.h>

#include "attention/tiled/bfloat16_kernels.h"
#include "tensor/simd/bfloat16_pairs-inl.h"

namespace asap::attention {
namespace {

using tensor::pair;
using tensor::panel_vectors;

constexpr std::int64_t kLanes = 16;
constexpr int kScoreRows = kTileRows;
constexpr int kValueRows = 6;

inline __m512 exp2_lanes(__m512 t) {
  const __m512 r = _mm512_reduce_ps(t, 1);
  __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0.0018671302823349833f), r,
                             _mm512_set1_ps(0.009017029777169228f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.05579991266131401f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.24016444385051727f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.6931512951850891f));
  return _mm512_scalef_ps(_mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f)), t);
}

template <int Count>
struct VectorCount {
  static constexpr int kCount = Count;
};

/// Calls body(first column, VectorCount<...>) for the panels of `columns` columns.
template <class Body>
inline void for_each_panel(std::int64_t columns, const Body& body) {
  for (std::int64_t column = 0; column < columns;) {
    const std::int64_t vectors = panel_vectors((columns - column) / kLanes);
    if (vectors == 3) body(column, VectorCount<3>());
    if (vectors == 2) body(column, VectorCount<2>());
    if (vectors == 1) body(column, VectorCount<1>());
    column += vectors * kLanes;
  }
}

/// Values are padded to a multiple of this: not round_up(), which other files may call.
inline std::int64_t padded_rows(std::int64_t count) {
  return (count + kTilePadding - 1) / kTilePadding * kTilePadding;
}

/// See LinesAhead in tile_kernels.cpp.
struct LinesAhead {
  const char* at = nullptr;
  const char* last = nullptr;

  static LinesAhead of(const MemoryAhead& memory) {
    const char* begin = (const char*)memory.begin;
    return {begin, begin + (memory.bytes > 0 ? memory.bytes - 1 : 0)};
  }
  void fetch_next() {
    __builtin_prefetch(at, 0, 2);
    at = last - at > 64 ? at + 64 : last;
  }
};

/// One panel of gibbs_tile.
struct RowSums {
  static constexpr bool kFetchesAhead = false;
  float* out;
  float* sums;

  template <int Vectors>
  inline __attribute__((always_inline)) void write(const GibbsTile& t, std::int64_t row,
                                                   std::int64_t column,
                                                   const __m512 (&score)[kScoreRows][Vectors]) {
#pragma GCC unroll 8
    for (int r = 0; r < kScoreRows; ++r) {
      __m512 total = _mm512_loadu_ps(sums + (row + r) * kTilePadding);
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v) {
        const __m512 value = exp2_lanes(score[r][v]);
        _mm512_storeu_ps(out + (row + r) * t.columns + column + v * kLanes, value);
        total = _mm512_add_ps(total, value);
      }
      _mm512_storeu_ps(sums + (row + r) * kTilePadding, total);
    }
  }
};

/// One panel of gibbs_tile_columns.
struct ColumnSums {
  static constexpr bool kFetchesAhead = true;
  BFloat16* out;
  float* sums;

  template <int Vectors>
  inline __attribute__((always_inline)) void write(const GibbsTile& t, std::int64_t row,
                                                   std::int64_t column,
                                                   const __m512 (&score)[kScoreRows][Vectors]) {
    __m512 total[Vectors];
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) total[v] = _mm512_loadu_ps(sums + column + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kScoreRows; ++r) {
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v) {
        const __m512 value = exp2_lanes(score[r][v]);
        _mm256_storeu_si256((__m256i*)(out + (row + r) * t.columns + column + v * kLanes),
                            (__m256i)_mm512_cvtneps_pbh(value));
        total[v] = _mm512_add_ps(total[v], value);
      }
    }
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) _mm512_storeu_ps(sums + column + v * kLanes, total[v]);
  }
};

}  // namespace
}  // namespace asap::attention
