#include "attention/tiled/bfloat16_kernels.h"

#ifdef ASAP_COMPILES_AVX512_BF16

#include "attention/tiled/amx_kernels.h"
#include "attention/tiled/bfloat16_lanes-inl.h"

// No copy of tensor/simd/skeleton.cpp: Highway 1.0.3 knows neither the instruction set AVX512_BF16
// nor its dot product. So CMake compiles this file for that instruction set, with intrinsics, and
// bfloat16_kernels() at its end decides whether its kernel set may be used.
//
// The file must use no inline function of a header outside of it: the linker might keep the copy
// made here for callers on other processors.

namespace asap::attention {
namespace {

void pair_keys(const float* packed, std::int64_t inner, std::int64_t columns, BFloat16* out) {
  for_each_panel(columns, [&](std::int64_t column, auto vectors) {
    constexpr std::int64_t kWidth = decltype(vectors)::kCount * kLanes;
    for (std::int64_t d = 0; d < inner; d += 2)
      for (std::int64_t c = 0; c < kWidth; c += kLanes) {
        const float* from = packed + column * inner + d * kWidth + c;
        _mm512_storeu_si512(out + column * inner + d * kWidth + 2 * c,
                            pair(_mm512_loadu_ps(from), _mm512_loadu_ps(from + kWidth)));
      }
  });
}

void pair_values(const float* values, std::int64_t keys, std::int64_t value_width, BFloat16* out) {
  const std::int64_t padded = padded_rows(keys);
  for (std::int64_t j = 0; j < padded; j += 2)
    for (std::int64_t c = 0; c < value_width; c += kLanes) {
      const float* from = values + j * value_width + c;
      const __m512 even = j < keys ? _mm512_loadu_ps(from) : _mm512_setzero_ps();
      const __m512 odd = j + 1 < keys ? _mm512_loadu_ps(from + value_width) : _mm512_setzero_ps();
      _mm512_storeu_si512(out + j * value_width + 2 * c, pair(even, odd));
    }
}

inline __m512bh broadcast_pair(const BFloat16* at) {
  int bits = 0;
  __builtin_memcpy(&bits, at, sizeof bits);
  return (__m512bh)_mm512_set1_epi32(bits);
}

/// x_i . y_j + offsets of kScoreRows queries from `row` on and the panel of keys at `column`.
template <int Vectors, bool fetch>
inline __attribute__((always_inline)) void score_panel(const GibbsTile& t, const BFloat16* x,
                                                       const BFloat16* keys, std::int64_t row,
                                                       std::int64_t column,
                                                       __m512 (&score)[kScoreRows][Vectors],
                                                       LinesAhead& ahead) {
  const float* row_offset = t.row_offset + row;
#pragma GCC unroll 3
  for (int v = 0; v < Vectors; ++v) {
    const __m512 offset = _mm512_loadu_ps(t.column_offset + column + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kScoreRows; ++r)
      score[r][v] = _mm512_add_ps(offset, _mm512_set1_ps(row_offset[r]));
  }
  const BFloat16* left = x + row * t.inner;
  const BFloat16* panel = keys + column * t.inner;
  for (std::int64_t k = 0; k < t.inner; k += 2, panel += 2 * kLanes * Vectors) {
    if constexpr (fetch) ahead.fetch_next();
    __m512bh y[Vectors];
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) y[v] = (__m512bh)_mm512_loadu_si512(panel + 2 * kLanes * v);
#pragma GCC unroll 8
    for (int r = 0; r < kScoreRows; ++r) {
      const __m512bh pair = broadcast_pair(left + r * t.inner + k);
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v) score[r][v] = _mm512_dpbf16_ps(score[r][v], pair, y[v]);
    }
  }
}

template <int Vectors, class Sums>
void gibbs_panel(const GibbsTile& t, const BFloat16* x, const BFloat16* keys, std::int64_t column,
                 Sums sums, LinesAhead& ahead) {
  for (std::int64_t row = 0; row < t.rows; row += kScoreRows) {
    __m512 score[kScoreRows][Vectors];
    score_panel<Vectors, Sums::kFetchesAhead>(t, x, keys, row, column, score, ahead);
    sums.template write<Vectors>(t, row, column, score);
  }
}

template <class Sums>
inline void gibbs_panels(const GibbsTile& t, const BFloat16* x, const BFloat16* keys, Sums sums,
                         LinesAhead ahead) {
  for_each_panel(t.columns, [&](std::int64_t column, auto vectors) {
    gibbs_panel<decltype(vectors)::kCount>(t, x, keys, column, sums, ahead);
  });
}

void gibbs_tile(const GibbsTile& t, const BFloat16* x, const BFloat16* keys, float* out,
                float* row_sums) {
  gibbs_panels(t, x, keys, RowSums{out, row_sums}, LinesAhead{});
}

void gibbs_tile_columns(const GibbsTile& t, const BFloat16* x, const BFloat16* keys, BFloat16* out,
                        float* column_sums, const MemoryAhead& memory) {
  gibbs_panels(t, x, keys, ColumnSums{out, column_sums}, LinesAhead::of(memory));
}

void narrow(const float* tile, std::int64_t count, BFloat16* out) {
  std::int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes)
    _mm512_storeu_si512(out + i, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(tile + i + kLanes),
                                                              _mm512_loadu_ps(tile + i)));
  for (; i < count; i += kLanes)
    _mm256_storeu_si256((__m256i*)(out + i),
                        (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(tile + i)));
}

template <int Vectors>
inline void add_values_panel(const BFloat16* tile, std::int64_t columns, const BFloat16* values,
                             std::int64_t keys, std::int64_t value_width, float* out) {
  __m512 sum[kValueRows][Vectors];
#pragma GCC unroll 6
  for (int r = 0; r < kValueRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v)
      sum[r][v] = _mm512_loadu_ps(out + r * value_width + v * kLanes);
  for (std::int64_t j = 0; j < keys; j += 2, values += 2 * value_width) {
    __m512bh value[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v)
      value[v] = (__m512bh)_mm512_loadu_si512(values + 2 * kLanes * v);
#pragma GCC unroll 6
    for (int r = 0; r < kValueRows; ++r) {
      const __m512bh left = broadcast_pair(tile + r * columns + j);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sum[r][v] = _mm512_dpbf16_ps(sum[r][v], left, value[v]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < kValueRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v)
      _mm512_storeu_ps(out + r * value_width + v * kLanes, sum[r][v]);
}

void add_values(const BFloat16* tile, std::int64_t rows, std::int64_t columns,
                const BFloat16* values, std::int64_t keys, std::int64_t value_width, float* out) {
  for (std::int64_t first = 0; first < value_width;) {
    const std::int64_t left = (value_width - first) / kLanes, vectors = left < 4 ? left : 4;
    const auto run = vectors == 4   ? &add_values_panel<4>
                     : vectors == 3 ? &add_values_panel<3>
                     : vectors == 2 ? &add_values_panel<2>
                                    : &add_values_panel<1>;
    for (std::int64_t r = 0; r < rows; r += kValueRows)
      run(tile + r * columns, columns, values + 2 * first, keys, value_width,
          out + r * value_width + first);
    first += vectors * kLanes;
  }
}

constexpr BFloat16KernelSet kKernelSet = {
    .pair_keys = &pair_keys,
    .pair_values = &pair_values,
    .gibbs_tile = &gibbs_tile,
    .gibbs_tile_columns = &gibbs_tile_columns,
    .narrow = &narrow,
    .add_values = &add_values,
};

}  // namespace

const BFloat16KernelSet* bfloat16_kernels(tensor::BFloat16Unit unit) {
  if (unit > tensor::bfloat16_unit()) return nullptr;
  switch (unit) {
    case tensor::BFloat16Unit::none:
      return nullptr;
    case tensor::BFloat16Unit::dot_product:
      return &kKernelSet;
    case tensor::BFloat16Unit::tiles:
      return amx_kernels();
  }
  return nullptr;
}

const BFloat16KernelSet* bfloat16_kernels() {
  static const BFloat16KernelSet* const best = bfloat16_kernels(tensor::bfloat16_unit());
  return best;
}

}  // namespace asap::attention

#else

namespace asap::attention {

const BFloat16KernelSet* bfloat16_kernels() { return nullptr; }
const BFloat16KernelSet* bfloat16_kernels(tensor::BFloat16Unit) { return nullptr; }

}  // namespace asap::attention
#endif
