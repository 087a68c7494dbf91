#include "attention/tiled/tile_operands.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/tiled/tile_operands.cpp"
#include <hwy/foreach_target.h>

#include "attention/tiled/tile_operands_kernel_set.h"
#include "attention/tiled/tile_panels-inl.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"
#include "tensor/simd/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

using namespace tiles;

/// Loads kLanes tokens from row `first` on, dimensions [d, d + kLanes), as they are, transposed:
/// out[l] holds dimension d + l of all of them. Tokens and dimensions that do not exist give zeros.
HWY_INLINE void load_transposed(tensor::MatrixView<const float> tokens, std::int64_t first,
                                std::int64_t d, V* out) {
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

float pack_keys(tensor::MatrixView<const float> keys, float factor, const float* mean,
                float* packed) {
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

void centre_queries(tensor::MatrixView<const float> queries, float factor, const float* mean,
                    tensor::MatrixView<float> x, float* norms) {
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

/// Projections of a panel of tokens, transposed, on Count directions. panel: [D][Vectors * kLanes];
/// out: of the first direction.
template <int Count, int Vectors>
HWY_INLINE void project_panel(const float* panel, std::int64_t inner, const float* direction,
                              std::int64_t direction_stride, float* out, std::int64_t out_stride) {
  const D tag;
  V sum[Count][Vectors];
  for (int p = 0; p < Count; ++p)
    for (int v = 0; v < Vectors; ++v) sum[p][v] = hn::Zero(tag);
  for (std::int64_t d = 0; d < inner; ++d, panel += Vectors * kLanes) {
    V key[Vectors];
    for (int v = 0; v < Vectors; ++v) key[v] = hn::LoadU(tag, panel + v * kLanes);
    for (int p = 0; p < Count; ++p) {
      const V factor = hn::Set(tag, direction[p * direction_stride + d]);
      for (int v = 0; v < Vectors; ++v) sum[p][v] = hn::MulAdd(factor, key[v], sum[p][v]);
    }
  }
  for (int p = 0; p < Count; ++p)
    for (int v = 0; v < Vectors; ++v) hn::StoreU(sum[p][v], tag, out + p * out_stride + v * kLanes);
}

void project_tokens(tensor::MatrixView<const float> tokens,
                    tensor::MatrixView<const float> directions, float* lines,
                    tensor::MatrixView<float> out) {
  const D tag;
  for (std::int64_t first = 0; first < tokens.rows; first += kLanes) {
    for (std::int64_t d = 0; d < tokens.cols; d += kLanes) {
      V block[kLanes];
      load_transposed(tokens, first, d, block);
      for (std::int64_t l = 0; l < std::min(kLanes, tokens.cols - d); ++l)
        hn::StoreU(block[l], tag, lines + (d + l) * kLanes);
    }
    std::int64_t p = 0;
    const auto project = [&](auto count) HWY_ATTR {
      for (; p + count <= directions.rows; p += count)
        project_panel<decltype(count)::value, 1>(lines, directions.cols, directions.row(p).data(),
                                                 directions.stride, &out(p, first), out.stride);
    };
    project(std::integral_constant<int, 8>());
    project(std::integral_constant<int, 5>());
    project(std::integral_constant<int, 2>());
    project(std::integral_constant<int, 1>());
  }
}

void project_keys(const float* packed, std::int64_t m, tensor::MatrixView<const float> directions,
                  tensor::MatrixView<float> out) {
  constexpr int kTogether = kLanes == 16 ? 8 : 4;  // so that the sums stay in registers
  const std::int64_t inner = directions.cols, stride = directions.stride;
  for (std::int64_t block = 0; block < key_blocks(m); ++block)
    for_each_panel(key_block_width(m, block), [&](std::int64_t column, auto vectors) HWY_ATTR {
      constexpr int kVectors = decltype(vectors)::value;
      const std::int64_t first = block * kKeyBlock + column;
      const float* panel = packed + first * inner;
      std::int64_t p = 0;
      for (; p + kTogether <= directions.rows; p += kTogether)
        project_panel<kTogether, kVectors>(panel, inner, directions.row(p).data(), stride,
                                           &out(p, first), out.stride);
      for (; p < directions.rows; ++p)
        project_panel<1, kVectors>(panel, inner, directions.row(p).data(), stride, &out(p, first),
                                   out.stride);
    });
}

void pack_values(tensor::MatrixView<const float> values, const float* factors, float* out) {
  const std::int64_t width = round_up(values.cols, kTilePadding);
  for (std::int64_t j = 0; j < values.rows; ++j, out += width) {
    const float* row = values.row(j).data();
    for_each_vector<float>(values.cols, [&](auto d, std::int64_t k) HWY_ATTR {
      hn::StoreU(hn::Mul(hn::Set(d, factors[j]), hn::LoadU(d, row + k)), d, out + k);
    });
    std::fill(out + values.cols, out + width, 0.0f);
  }
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

constexpr TileOperandsKernelSet kKernelSet = {
    .pack_keys = &pack_keys,
    .centre_queries = &centre_queries,
    .project_tokens = &project_tokens,
    .project_keys = &project_keys,
    .pack_values = &pack_values,
    .log2_values = &log2_values,
    .exp2_values = &exp2_values,
};

const TileOperandsKernelSet* kernel_set() { return &kKernelSet; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::attention {
namespace {

ASAP_DEFINE_KERNELS(TileOperandsKernelSet)

}  // namespace

float pack_keys(tensor::MatrixView<const float> keys, float factor,
                tensor::VectorView<const float> mean, float* packed) {
  return kernels().pack_keys(keys, factor, mean.data(), packed);
}

void centre_queries(tensor::MatrixView<const float> queries, float factor,
                    tensor::VectorView<const float> mean, tensor::MatrixView<float> x,
                    tensor::VectorView<float> norms) {
  kernels().centre_queries(queries, factor, mean.data(), x, norms.data());
}

void project_tokens(tensor::MatrixView<const float> tokens,
                    tensor::MatrixView<const float> directions, tensor::MatrixView<float> out,
                    tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  kernels().project_tokens(tokens, directions, scratch.take<float>(tokens.cols * kTilePadding),
                           out);
}

void project_keys(const float* packed, std::int64_t m, tensor::MatrixView<const float> directions,
                  tensor::MatrixView<float> out) {
  kernels().project_keys(packed, m, directions, out);
}

void pack_values(tensor::MatrixView<const float> values, tensor::VectorView<const float> factors,
                 float* out) {
  kernels().pack_values(values, factors.data(), out);
}

void log2_values(tensor::VectorView<const float> x, tensor::VectorView<float> out) {
  kernels().log2_values(x.data(), static_cast<std::int64_t>(x.size()), out.data());
}

void exp2_values(tensor::VectorView<const float> x, tensor::VectorView<float> out) {
  kernels().exp2_values(x.data(), static_cast<std::int64_t>(x.size()), out.data());
}

}  // namespace asap::attention
#endif  // HWY_ONCE
