#include "tensor/kernels/gemm.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include <hwy/cache_control.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/gemm.cpp"
#include <hwy/foreach_target.h>

#include "tensor/core/tensor.h"
#include "tensor/kernels/bfloat16_gemm.h"
#include "tensor/kernels/gemm_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/partial-inl.h"
#include "tensor/simd/simd-inl.h"
#include "tensor/simd/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace {

// A tile of C stays in registers while k runs: up to kTileRows x kTileVectors accumulators, which
// with 32 registers (AVX-512, NEON) may be 24, with 16 (AVX2) 12.
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3) || HWY_ARCH_ARM_A64
constexpr int kTileRows = 8;
#else
constexpr int kTileRows = 4;
#endif
constexpr std::int64_t kTileVectors = 3;
constexpr std::int64_t kInnerBlock = 512;  // rows of a packed panel: 96 KiB of float at AVX-512
constexpr std::int64_t kLine = 64;         // bytes
constexpr std::int64_t kPackRows = 192;    // with as many rows of C, packing B always pays

template <class T>
constexpr std::int64_t lanes() {
  return static_cast<std::int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));
}

/// A block of rows of op(A), a panel of columns of op(B) and the tile of C they give.
template <class T>
struct Tile {
  const T* a;
  std::int64_t a_row, a_inner;
  const T* b;  // [inner][b_stride], whole vectors readable
  std::int64_t b_stride;
  std::int64_t inner;
  T* c;
  std::int64_t c_stride;
  std::int64_t last;   // live lanes of the last vector of C
  std::int64_t ahead;  // from an element of op(A) to one that the next tiles need
  T alpha, beta;
  const T* bias;  // of these columns, or null
};

/// alpha * sum + bias + beta * C into C, `count` lanes of it.
template <class T, class D, class V>
HWY_INLINE void finish_vector(const Tile<T>& t, D d, V sum, std::int64_t count, const T* bias,
                              T* c) {
  const bool whole = count == lanes<T>();
  V result = hn::Mul(hn::Set(d, t.alpha), sum);
  if (bias) result = hn::Add(result, whole ? hn::LoadU(d, bias) : load_first(d, count, bias));
  if (t.beta != T(0))
    result =
        hn::MulAdd(hn::Set(d, t.beta), whole ? hn::LoadU(d, c) : load_first(d, count, c), result);
  if (whole)
    hn::StoreU(result, d, c);
  else
    store_first(d, count, result, c);
}

/// One tile of Rows x Vectors.
template <int Rows, int Vectors, class T>
HWY_INLINE void run_tile(const Tile<T>& t) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::int64_t kLanes = lanes<T>();
  V sum[Rows][Vectors];
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::Zero(d);
  // C and the A of the next tiles come from outer caches, in patterns the hardware does not
  // foresee.
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) hwy::Prefetch(t.c + r * t.c_stride + v * kLanes);
  const T* a = t.a;
  const T* b = t.b;
  for (std::int64_t k = 0; k < t.inner; ++k, a += t.a_inner, b += t.b_stride) {
    hwy::Prefetch(a + t.ahead);
    V column[Vectors];
    for (int v = 0; v < Vectors; ++v) column[v] = hn::LoadU(d, b + v * kLanes);
    for (int r = 0; r < Rows; ++r) {
      const V left = hn::Set(d, a[r * t.a_row]);
      for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::MulAdd(left, column[v], sum[r][v]);
    }
  }
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v)
      finish_vector(t, d, sum[r][v], v + 1 == Vectors ? t.last : kLanes,
                    t.bias ? t.bias + v * kLanes : nullptr, t.c + r * t.c_stride + v * kLanes);
}

/// The tile with `rows` rows, 1 <= rows <= Rows. Inlined by force: GCC may otherwise choose to call
/// the tallest tile, which makes products with short inner dimensions a tenth slower.
template <int Rows, int Vectors, class T>
HWY_INLINE void run_tile_of(const Tile<T>& t, std::int64_t rows) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return run_tile_of<Rows - 1, Vectors>(t, rows);
  }
  run_tile<Rows, Vectors>(t);
}

/// All rows of a panel of Vectors vectors of columns, in tiles of nearly equal height: a last tile
/// of one or two rows would wait for each product before it adds the next.
template <int Vectors, class T>
void run_rows(Tile<T> t, std::int64_t rows) {
  for (std::int64_t tiles = (rows + kTileRows - 1) / kTileRows; tiles > 0; --tiles) {
    const std::int64_t count = (rows + tiles - 1) / tiles;
    run_tile_of<kTileRows, Vectors>(t, count);
    t.a += count * t.a_row;
    t.c += count * t.c_stride;
    rows -= count;
  }
}

template <class T>
void run_panel(const Tile<T>& t, std::int64_t rows, std::int64_t vectors) {
  if (vectors == 3) run_rows<3>(t, rows);
  if (vectors == 2) run_rows<2>(t, rows);
  if (vectors == 1) run_rows<1>(t, rows);
}

/// Copies `columns` columns of `inner` rows of B to packed: [inner][width], zeros behind them.
template <class T>
void pack_rows(const T* from, std::int64_t stride, std::int64_t inner, std::int64_t columns,
               std::int64_t width, T* packed) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = lanes<T>();
  const std::int64_t whole = columns / kLanes * kLanes;
  for (std::int64_t k = 0; k < inner; ++k, from += stride, packed += width) {
    for (std::int64_t j = 0; j < whole; j += kLanes)
      hn::StoreU(hn::LoadU(d, from + j), d, packed + j);
    if (whole < columns)
      hn::StoreU(load_first(d, columns - whole, from + whole), d, packed + whole);
  }
}

/// Copies `columns` rows of Bᵀ, `inner` values of each, to packed: [inner][width], zeros behind
/// them.
template <class T>
void pack_columns(const T* from, std::int64_t stride, std::int64_t inner, std::int64_t columns,
                  std::int64_t width, T* packed) {
  const hn::ScalableTag<T> d;
  constexpr std::int64_t kLanes = lanes<T>();
  hn::Vec<decltype(d)> square[kLanes];
  for (std::int64_t j = 0; j < width; j += kLanes)
    for (std::int64_t k = 0; k < inner; k += kLanes) {
      const std::int64_t left = std::min(kLanes, inner - k);
      for (std::int64_t l = 0; l < kLanes; ++l) {
        const T* row = from + (j + l) * stride + k;
        square[l] = j + l >= columns ? hn::Zero(d)
                    : left == kLanes ? hn::LoadU(d, row)
                                     : load_first(d, left, row);
      }
      transpose_square(d, square);
      for (std::int64_t l = 0; l < left; ++l)
        hn::StoreU(square[l], d, packed + (k + l) * width + j);
    }
}

/// Vectors of the next panel when `vectors` are left. Four are two panels of two: a panel of one
/// keeps the load ports busier than the multipliers.
constexpr std::int64_t panel_vectors(std::int64_t vectors) {
  return vectors == 4 ? 2 : std::min(kTileVectors, vectors);
}

/// One block of the inner dimension.
template <class T>
void run_block(const GemmCall<T>& call, std::int64_t row, std::int64_t inner, T* packed) {
  constexpr std::int64_t kLanes = lanes<T>();
  for (std::int64_t first = 0; first < call.n;) {
    const std::int64_t left = call.n - first;
    const std::int64_t vectors = panel_vectors((left + kLanes - 1) / kLanes);
    const std::int64_t width = vectors * kLanes;
    const std::int64_t columns = std::min(left, width);
    Tile<T> tile{
        .a = call.a + row * call.a_inner,
        .a_row = call.a_row,
        .a_inner = call.a_inner,
        .b = packed,
        .b_stride = width,
        .inner = inner,
        .c = call.c + first,
        .c_stride = call.c_stride,
        .last = columns - (vectors - 1) * kLanes,
        .ahead = call.a_inner == 1 ? kTileRows * call.a_row : kLine / std::int64_t{sizeof(T)},
        .alpha = call.alpha,
        .beta = row == 0 ? call.beta : T(1),
        .bias = row == 0 && call.bias ? call.bias + first : nullptr};
    if (call.b_transposed) {
      pack_columns(call.b + first * call.b_stride + row, call.b_stride, inner, columns, width,
                   packed);
    } else if (call.m >= kPackRows || columns < width) {
      pack_rows(call.b + row * call.b_stride + first, call.b_stride, inner, columns, width, packed);
    } else {
      tile.b = call.b + row * call.b_stride + first;
      tile.b_stride = call.b_stride;
    }
    run_panel(tile, call.m, vectors);
    first += columns;
  }
}

template <class T>
void run(const GemmCall<T>& call) {
  thread_local Tensor<T> packed({kInnerBlock * kTileVectors * lanes<T>()});
  for (std::int64_t row = 0; row < call.k; row += kInnerBlock)
    run_block(call, row, std::min(kInnerBlock, call.k - row), packed.data());
}

template <class T>
constexpr GemmKernelSet<T> kKernelSet = {
    .run = &run<T>,
};

const GemmKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const GemmKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::tensor {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(GemmKernelSet)

/// C = beta C, for products with nothing to sum.
template <class T>
void scale_only(T beta, const MatrixView<T>& c) {
  for (std::int64_t i = 0; i < c.rows; ++i)
    for (T& value : c.row(i)) value = beta == T(0) ? T(0) : beta * value;
}

void run_rounded(BFloat16Gemm product, const GemmCall<float>& call) {
  using Operands = BFloat16Operands;
  thread_local std::vector<std::int32_t> left(Operands::kLeftPairs);
  thread_local std::vector<std::int32_t> right;
  const std::int64_t columns = (call.n + Operands::kColumns - 1) / Operands::kColumns;
  right.resize(static_cast<std::size_t>(columns * Operands::kColumns * Operands::kInnerBlock / 2));
  product(call, {left.data(), right.data()});
}

template <class T>
void run_in(ProductPrecision precision, const GemmCall<T>& call) {
  if (precision == ProductPrecision::bfloat16) {
    base::check(std::is_same_v<T, float>, "gemm: only floats are rounded to bfloat16");
    static const BFloat16Gemm product = bfloat16_gemm();
    if constexpr (std::is_same_v<T, float>)
      if (product) return run_rounded(product, call);
  }
  kernels<T>().run(call);
}

}  // namespace

template <class T>
void gemm(Transpose transpose_a, Transpose transpose_b, T alpha, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> c, ProductPrecision precision) {
  const bool ta = transpose_a == Transpose::yes;
  const bool tb = transpose_b == Transpose::yes;
  const std::int64_t inner = ta ? a.rows : a.cols;
  base::check((ta ? a.cols : a.rows) == c.rows && (tb ? b.rows : b.cols) == c.cols &&
                  (tb ? b.cols : b.rows) == inner,
              "gemm: shapes do not fit");
  if (c.rows == 0 || c.cols == 0) return;
  if (inner == 0) return scale_only(beta, c);
  run_in<T>(precision, {.m = c.rows,
                        .n = c.cols,
                        .k = inner,
                        .alpha = alpha,
                        .beta = beta,
                        .a = a.data,
                        .a_row = ta ? 1 : a.stride,
                        .a_inner = ta ? a.stride : 1,
                        .b = b.data,
                        .b_stride = b.stride,
                        .b_transposed = tb,
                        .c = c.data,
                        .c_stride = c.stride,
                        .bias = nullptr});
}

template <class T>
void affine(MatrixView<const T> x, MatrixView<const T> weight, VectorView<const T> bias, T beta,
            MatrixView<T> y, ProductPrecision precision) {
  base::check(x.rows == y.rows && weight.rows == y.cols && weight.cols == x.cols && x.cols > 0 &&
                  static_cast<std::int64_t>(bias.size()) == y.cols,
              "affine: shapes do not fit");
  if (y.rows == 0 || y.cols == 0) return;
  run_in<T>(precision, {.m = y.rows,
                        .n = y.cols,
                        .k = x.cols,
                        .alpha = T(1),
                        .beta = beta,
                        .a = x.data,
                        .a_row = x.stride,
                        .a_inner = 1,
                        .b = weight.data,
                        .b_stride = weight.stride,
                        .b_transposed = true,
                        .c = y.data,
                        .c_stride = y.stride,
                        .bias = bias.data()});
}

#define ASAP_INSTANTIATE(T)                                                                   \
  template void gemm<T>(Transpose, Transpose, T, MatrixView<const T>, MatrixView<const T>, T, \
                        MatrixView<T>, ProductPrecision);                                     \
  template void affine<T>(MatrixView<const T>, MatrixView<const T>, VectorView<const T>, T,   \
                          MatrixView<T>, ProductPrecision);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::tensor
#endif  // HWY_ONCE
