#include "attention/tile_kernels.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/tile_kernels.cpp"
#include <hwy/foreach_target.h>

#include "attention/tile_kernels_table.h"
#include "tensor/dispatch.h"
#include "tensor/simd-inl.h"
#include "tensor/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap {
namespace HWY_NAMESPACE {
namespace {

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(D()));

// Accumulators of a tile: 24 of the 32 registers of AVX-512 and NEON, 12 of the 16 of others; what
// is left holds the operands and the coefficients of the exponential.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr int kScoreRows = 8;     // x kPanelVectors
constexpr int kValueVectors = 4;  // x kValueRows
#else
constexpr int kScoreRows = 4;
constexpr int kValueVectors = 2;
#endif
constexpr int kPanelVectors = 3;
constexpr int kValueRows = 6;
static_assert(kTileRows % kScoreRows == 0 && kRowBlock % kTileRows == 0 &&
              kRowBlock % kValueRows == 0 && kTilePadding % kLanes == 0);

/// Vectors of the next panel when `left` vectors of a key block remain: a panel of one keeps the
/// load ports busier than the multipliers, so four are two and two.
constexpr std::int64_t panel_vectors(std::int64_t left) {
  return left == 4 ? 2 : std::min<std::int64_t>(left, kPanelVectors);
}

/// Calls body(first column, vectors) for the panels of `columns` columns. `body` is a generic
/// lambda that takes the number of vectors as an integral constant.
template <class Body>
HWY_INLINE void for_each_panel(std::int64_t columns, const Body& body) {
  for (std::int64_t column = 0; column < columns;) {
    const std::int64_t vectors = panel_vectors((columns - column) / kLanes);
    if (vectors == 3) body(column, std::integral_constant<int, 3>());
    if (vectors == 2) body(column, std::integral_constant<int, 2>());
    if (vectors == 1) body(column, std::integral_constant<int, 1>());
    column += vectors * kLanes;
  }
}

/// Loads kLanes tokens from row `first` on, dimensions [d, d + kLanes), as they are, transposed:
/// out[l] holds dimension d + l of all of them. Tokens and dimensions that do not exist give zeros.
HWY_INLINE void load_transposed(MatrixView<const float> tokens, std::int64_t first, std::int64_t d,
                                V* out) {
  const D tag;
  if (first + kLanes <= tokens.rows && d + kLanes <= tokens.cols) {
    for (int l = 0; l < kLanes; ++l) out[l] = hn::LoadU(tag, &tokens(first + l, d));
  } else {
    HWY_ALIGN float row[kLanes];
    for (int l = 0; l < kLanes; ++l) {
      for (int e = 0; e < kLanes; ++e)
        row[e] = first + l < tokens.rows && d + e < tokens.cols ? tokens(first + l, d + e) : 0.0f;
      out[l] = hn::Load(tag, row);
    }
  }
  transpose_square(tag, out);
}

float pack_keys(MatrixView<const float> keys, float factor, const float* mean, float* packed) {
  const D tag;
  const std::int64_t inner = keys.cols;
  const V scale = hn::Set(tag, factor);
  V largest = hn::Zero(tag);
  for (std::int64_t block = 0; block < key_blocks(keys.rows); ++block) {
    float* block_out = packed + block * kKeyBlock * inner;
    for_each_panel(
        key_block_width(keys.rows, block), [&](std::int64_t column, auto vectors) HWY_ATTR {
          float* panel = block_out + column * inner;
          const std::int64_t width = vectors * kLanes;
          for (int v = 0; v < vectors; ++v) {
            V square = hn::Zero(tag);
            for (std::int64_t d = 0; d < inner; d += kLanes) {
              V lines[kLanes];
              const std::int64_t first = block * kKeyBlock + column + v * kLanes;
              load_transposed(keys, first, d, lines);
              const auto exists = hn::FirstN(
                  tag, static_cast<std::size_t>(std::max<std::int64_t>(0, keys.rows - first)));
              const std::int64_t count = std::min(kLanes, inner - d);
              for (std::int64_t l = 0; l < count; ++l) {
                const V centred = hn::MulSub(scale, lines[l], hn::Set(tag, mean[d + l]));
                const V value = hn::IfThenElseZero(exists, centred);
                square = hn::MulAdd(value, value, square);
                hn::StoreU(value, tag, panel + (d + l) * width + v * kLanes);
              }
            }
            largest = hn::Max(largest, square);
          }
        });
  }
  return std::sqrt(hn::GetLane(hn::MaxOfLanes(tag, largest)));
}

void centre_queries(MatrixView<const float> queries, float factor, const float* mean,
                    MatrixView<float> x, float* norms) {
  for (std::int64_t i = 0; i < queries.rows; ++i) {
    const float* from = queries.row(i).data();
    float* to = x.row(i).data();
    const float square = sum_vectors<float>(queries.cols, [&](auto d, std::int64_t k) HWY_ATTR {
      const auto value =
          hn::MulSub(hn::Set(d, factor), hn::LoadU(d, from + k), hn::LoadU(d, mean + k));
      hn::StoreU(value, d, to + k);
      return hn::Mul(value, value);
    });
    norms[i] = std::sqrt(square);
  }
  std::fill(x.data + queries.rows * x.stride, x.data + x.rows * x.stride, 0.0f);
  std::fill(norms + queries.rows, norms + x.rows, 0.0f);
}

template <int Count>
HWY_INLINE void project_on(MatrixView<const float> tokens, MatrixView<const float> directions,
                           MatrixView<float> out) {
  const D tag;
  for (std::int64_t first = 0; first < tokens.rows; first += kLanes) {
    V sum[Count];
    for (int p = 0; p < Count; ++p) sum[p] = hn::Zero(tag);
    for (std::int64_t d = 0; d < tokens.cols; d += kLanes) {
      V lines[kLanes];
      load_transposed(tokens, first, d, lines);
      const std::int64_t count = std::min(kLanes, tokens.cols - d);
      for (std::int64_t l = 0; l < count; ++l)
        for (int p = 0; p < Count; ++p)
          sum[p] = hn::MulAdd(hn::Set(tag, directions(p, d + l)), lines[l], sum[p]);
    }
    for (int p = 0; p < Count; ++p) hn::StoreU(sum[p], tag, &out(p, first));
  }
}

void project_tokens(MatrixView<const float> tokens, MatrixView<const float> directions,
                    MatrixView<float> out) {
  for (std::int64_t p = 0; p < directions.rows; p += 5) {
    const std::int64_t count = std::min<std::int64_t>(5, directions.rows - p);
    const auto some = directions.block(p, 0, count, directions.cols);
    const auto target = out.block(p, 0, count, out.cols);
    if (count == 5) project_on<5>(tokens, some, target);
    if (count == 4) project_on<4>(tokens, some, target);
    if (count == 3) project_on<3>(tokens, some, target);
    if (count == 2) project_on<2>(tokens, some, target);
    if (count == 1) project_on<1>(tokens, some, target);
  }
}

/// kScoreRows queries against one panel of keys.
template <int Vectors>
HWY_INLINE void gibbs_panel(const float* x, std::int64_t inner, const float* panel,
                            const float* row_offset, const float* column_offset, float* out,
                            std::int64_t columns, float* row_sums) {
  const D d;
  V score[kScoreRows][Vectors];
  for (int v = 0; v < Vectors; ++v) {
    const V column = hn::LoadU(d, column_offset + v * kLanes);
    for (int r = 0; r < kScoreRows; ++r) score[r][v] = hn::Add(column, hn::Set(d, row_offset[r]));
  }
  for (std::int64_t k = 0; k < inner; ++k, panel += Vectors * kLanes) {
    V y[Vectors];
    for (int v = 0; v < Vectors; ++v) y[v] = hn::LoadU(d, panel + v * kLanes);
    for (int r = 0; r < kScoreRows; ++r) {
      const V left = hn::Set(d, x[r * inner + k]);
      for (int v = 0; v < Vectors; ++v) score[r][v] = hn::MulAdd(left, y[v], score[r][v]);
    }
  }
  // Unrolled by force: were the scores indexed by a loop, they would live in memory.
#pragma GCC unroll 8
  for (int r = 0; r < kScoreRows; ++r) {
    V total = hn::LoadU(d, row_sums + r * kTilePadding);
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) {
      const V value = exp2_fast(d, score[r][v]);
      hn::StoreU(value, d, out + r * columns + v * kLanes);
      total = hn::Add(total, value);
    }
    hn::StoreU(total, d, row_sums + r * kTilePadding);
  }
}

void gibbs_tile(const GibbsTile& t, float* out, float* row_sums) {
  for_each_panel(t.columns, [&](std::int64_t column, auto vectors) HWY_ATTR {
    for (std::int64_t r = 0; r < round_up(t.rows, kTileRows); r += kScoreRows)
      gibbs_panel<vectors>(t.x + r * t.inner, t.inner, t.keys + column * t.inner, t.row_offset + r,
                           t.column_offset + column, out + r * t.columns + column, t.columns,
                           row_sums + r * kTilePadding);
  });
}

void reduce_row_sums(const float* partial, std::int64_t rows, float* sums) {
  const D d;
  for (std::int64_t i = 0; i < rows; ++i)
    sums[i] = hn::GetLane(hn::SumOfLanes(d, hn::LoadU(d, partial + i * kTilePadding)));
}

HWY_INLINE V load_entries(const float* entries) { return hn::LoadU(D(), entries); }
HWY_INLINE V load_entries(const BFloat16* entries) {
  const hn::RebindToUnsigned<D> bits;
  const hn::Rebind<std::uint16_t, D> half;
  const auto narrow = hn::LoadU(half, reinterpret_cast<const std::uint16_t*>(entries));
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
  const hn::Rebind<std::uint16_t, D> half;
  for (std::int64_t i = 0; i < count; i += kLanes) {
    // To nearest, ties to even.
    const auto value = hn::BitCast(bits, hn::LoadU(d, tile + i));
    const auto odd = hn::And(hn::ShiftRight<16>(value), hn::Set(bits, 1u));
    const auto rounded = hn::Add(value, hn::Add(odd, hn::Set(bits, 0x7fffu)));
    const auto high = hn::BitCast(whole, hn::ShiftRight<16>(rounded));
    hn::StoreU(hn::DemoteTo(half, high), half, reinterpret_cast<std::uint16_t*>(out + i));
  }
}

void widen_tile(const BFloat16* tile, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; i += kLanes) hn::StoreU(load_entries(tile + i), D(), out + i);
}

void log2_values(const float* x, std::int64_t count, float* out) {
  for_each_vector<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Log2(d, hn::LoadU(d, x + i)), d, out + i);
  });
}

void exp2_values(const float* x, std::int64_t count, float* out) {
  for_each_vector<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(exp2_fast(d, hn::LoadU(d, x + i)), d, out + i);
  });
}

void pack_values(MatrixView<const float> values, const float* factors, float* out) {
  const std::int64_t width = round_up(values.cols, kTilePadding);
  for (std::int64_t j = 0; j < values.rows; ++j, out += width) {
    const float* row = values.row(j).data();
    for_each_vector<float>(values.cols, [&](auto d, std::int64_t k) HWY_ATTR {
      hn::StoreU(hn::Mul(hn::Set(d, factors[j]), hn::LoadU(d, row + k)), d, out + k);
    });
    std::fill(out + values.cols, out + width, 0.0f);
  }
}

constexpr TileKernelsTable table = {&pack_keys,
                                    &centre_queries,
                                    &project_tokens,
                                    &gibbs_tile,
                                    &reduce_row_sums,
                                    &add_column_sums<float>,
                                    &add_column_sums<BFloat16>,
                                    &add_row_dots<float>,
                                    &add_row_dots<BFloat16>,
                                    &add_values,
                                    &narrow_tile,
                                    &widen_tile,
                                    &log2_values,
                                    &exp2_values,
                                    &pack_values};

}  // namespace

const TileKernelsTable* tile_kernels() { return &table; }

}  // namespace HWY_NAMESPACE
}  // namespace asap
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap {
namespace {

HWY_EXPORT(tile_kernels);
const TileKernelsTable& kernels() {
  static const TileKernelsTable& chosen = *HWY_DYNAMIC_DISPATCH(tile_kernels)();
  return chosen;
}

}  // namespace

float pack_keys(MatrixView<const float> keys, float factor, VectorView<const float> mean,
                float* packed) {
  return kernels().pack_keys(keys, factor, mean.data(), packed);
}

void centre_queries(MatrixView<const float> queries, float factor, VectorView<const float> mean,
                    MatrixView<float> x, VectorView<float> norms) {
  kernels().centre_queries(queries, factor, mean.data(), x, norms.data());
}

void project_tokens(MatrixView<const float> tokens, MatrixView<const float> directions,
                    MatrixView<float> out) {
  kernels().project_tokens(tokens, directions, out);
}

void gibbs_tile(const GibbsTile& tile, float* out, float* row_sums) {
  kernels().gibbs_tile(tile, out, row_sums);
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
  kernels().add_column_sums_half(tile, rows, columns, weights, column_sums);
}

void add_row_dots(const float* tile, std::int64_t rows, std::int64_t columns, const float* v,
                  float* partial) {
  kernels().add_row_dots(tile, rows, columns, v, partial);
}
void add_row_dots(const BFloat16* tile, std::int64_t rows, std::int64_t columns, const float* v,
                  float* partial) {
  kernels().add_row_dots_half(tile, rows, columns, v, partial);
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

void log2_values(VectorView<const float> x, VectorView<float> out) {
  kernels().log2_values(x.data(), static_cast<std::int64_t>(x.size()), out.data());
}

void exp2_values(VectorView<const float> x, VectorView<float> out) {
  kernels().exp2_values(x.data(), static_cast<std::int64_t>(x.size()), out.data());
}

void pack_values(MatrixView<const float> values, VectorView<const float> factors, float* out) {
  kernels().pack_values(values, factors.data(), out);
}

}  // namespace asap
#endif  // HWY_ONCE
