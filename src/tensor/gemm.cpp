#include "tensor/gemm.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/gemm.cpp"
#include <hwy/foreach_target.h>

#include "tensor/simd-inl.h"
#include "tensor/tensor.h"

#ifndef ASAP_TENSOR_GEMM_ONCE
#define ASAP_TENSOR_GEMM_ONCE
namespace asap {

/// A product with shapes already checked. op(A)(i, k) = a[i * a_row + k * a_inner], whatever its
/// transposition.
template <class T>
struct GemmCall {
  std::int64_t m, n, k;
  T alpha, beta;
  const T* a;
  std::int64_t a_row, a_inner;
  const T* b;
  std::int64_t b_stride;
  bool b_transposed;
  T* c;
  std::int64_t c_stride;
};

}  // namespace asap
#endif

HWY_BEFORE_NAMESPACE();
namespace asap {
namespace HWY_NAMESPACE {
namespace {

// A tile of C stays in registers while k runs: kTileRows x kTileVectors accumulators, which with 32
// registers (AVX-512, NEON) may be 24, with 16 (AVX2, SSE2) 12.
#if HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr std::int64_t kTileRows = 8;
#else
constexpr std::int64_t kTileRows = 4;
#endif
constexpr std::int64_t kTileVectors = 3;
constexpr std::int64_t kInnerBlock = 512;  // rows of a packed panel: 96 KiB of float at AVX-512
constexpr std::int64_t kPackRows =
    192;  // from so many rows of C on packing B pays even if untransposed

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
  T alpha, beta;
};

/// One tile of Rows x Vectors.
template <int Rows, int Vectors, class T>
HWY_INLINE void run_tile(const Tile<T>& t) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::int64_t kLanes = lanes<T>();
  V sum[Rows][Vectors];
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::Zero(d);
  const T* a = t.a;
  const T* b = t.b;
  for (std::int64_t k = 0; k < t.inner; ++k, a += t.a_inner, b += t.b_stride) {
    V column[Vectors];
    for (int v = 0; v < Vectors; ++v) column[v] = hn::LoadU(d, b + v * kLanes);
    for (int r = 0; r < Rows; ++r) {
      const V left = hn::Set(d, a[r * t.a_row]);
      for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::MulAdd(left, column[v], sum[r][v]);
    }
  }
  const V alpha = hn::Set(d, t.alpha);
  const V beta = hn::Set(d, t.beta);
  for (int r = 0; r < Rows; ++r)
    for (int v = 0; v < Vectors; ++v) {
      T* out = t.c + r * t.c_stride + v * kLanes;
      const V scaled = hn::Mul(alpha, sum[r][v]);
      hn::StoreU(t.beta == T(0) ? scaled : hn::MulAdd(beta, hn::LoadU(d, out), scaled), d, out);
    }
}

/// All rows of a panel of Vectors whole vectors of columns.
template <int Vectors, class T>
void run_rows(Tile<T> t, std::int64_t rows) {
  const auto advance = [&](std::int64_t count) {
    t.a += count * t.a_row;
    t.c += count * t.c_stride;
    rows -= count;
  };
  for (; rows >= kTileRows; advance(kTileRows)) run_tile<kTileRows, Vectors>(t);
  if (rows >= 4) run_tile<4, Vectors>(t), advance(4);
  if (rows >= 2) run_tile<2, Vectors>(t), advance(2);
  if (rows >= 1) run_tile<1, Vectors>(t);
}

template <class T>
void run_panel(const Tile<T>& t, std::int64_t rows, std::int64_t vectors) {
  if (vectors == 3) run_rows<3>(t, rows);
  if (vectors == 2) run_rows<2>(t, rows);
  if (vectors == 1) run_rows<1>(t, rows);
}

/// A panel narrower than a vector: computed beside C, then its `columns` columns are copied.
template <class T>
void run_ragged_panel(const Tile<T>& t, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kLanes = lanes<T>();
  HWY_ALIGN T buffer[kTileRows * kLanes];
  for (std::int64_t i = 0; i < rows; i += kTileRows) {
    const std::int64_t count = std::min(kTileRows, rows - i);
    Tile<T> part = t;
    part.a += i * t.a_row;
    part.c = buffer;
    part.c_stride = kLanes;
    T* out = t.c + i * t.c_stride;
    if (t.beta != T(0))
      for (std::int64_t r = 0; r < count; ++r)
        std::copy_n(out + r * t.c_stride, columns, buffer + r * kLanes);
    run_rows<1>(part, count);
    for (std::int64_t r = 0; r < count; ++r)
      std::copy_n(buffer + r * kLanes, columns, out + r * t.c_stride);
  }
}

/// Copies columns [first, first + columns) of `inner` rows of op(B), from row `row` on, to
/// packed: [inner][width] with zeros behind them.
template <class T>
void pack(const GemmCall<T>& call, std::int64_t row, std::int64_t inner, std::int64_t first,
          std::int64_t columns, std::int64_t width, T* packed) {
  const hn::ScalableTag<T> d;
  const hn::RebindToSigned<decltype(d)> di;
  constexpr std::int64_t kLanes = lanes<T>();
  using Index = hn::TFromD<decltype(di)>;
  if (!call.b_transposed) {
    const T* from = call.b + row * call.b_stride + first;
    for (std::int64_t k = 0; k < inner; ++k, from += call.b_stride, packed += width) {
      std::copy_n(from, columns, packed);
      std::fill(packed + columns, packed + width, T(0));
    }
    return;
  }
  // op(B)(k, j) = b[j * stride + k]: a vector over j is a gather.
  const auto offsets =
      hn::Mul(hn::Iota(di, Index(0)), hn::Set(di, static_cast<Index>(call.b_stride)));
  const T* from = call.b + first * call.b_stride + row;
  for (std::int64_t j = 0; j < width; j += kLanes) {
    const T* base = from + j * call.b_stride;
    if (j + kLanes <= columns) {
      for (std::int64_t k = 0; k < inner; ++k)
        hn::StoreU(hn::GatherIndex(d, base + k, offsets), d, packed + k * width + j);
    } else {
      for (std::int64_t k = 0; k < inner; ++k)
        for (std::int64_t l = 0; l < kLanes; ++l)
          packed[k * width + j + l] = j + l < columns ? base[l * call.b_stride + k] : T(0);
    }
  }
}

/// One block of the inner dimension.
template <class T>
void run_block(const GemmCall<T>& call, std::int64_t row, std::int64_t inner, T* packed) {
  constexpr std::int64_t kLanes = lanes<T>();
  const bool pack_all = call.b_transposed || call.m >= kPackRows;
  for (std::int64_t first = 0; first < call.n;) {
    const std::int64_t left = call.n - first;
    // Four vectors are two panels of two: a panel of one keeps the load ports busier than the multipliers.
    const std::int64_t whole = left / kLanes;
    const std::int64_t vectors = whole == 4 ? 2 : std::min(kTileVectors, whole);
    const bool ragged = vectors == 0;
    const std::int64_t columns = ragged ? left : vectors * kLanes;
    const std::int64_t width = ragged ? kLanes : columns;
    Tile<T> tile{.a = call.a + row * call.a_inner,
                 .a_row = call.a_row,
                 .a_inner = call.a_inner,
                 .b = call.b + row * call.b_stride + first,
                 .b_stride = call.b_stride,
                 .inner = inner,
                 .c = call.c + first,
                 .c_stride = call.c_stride,
                 .alpha = call.alpha,
                 .beta = row == 0 ? call.beta : T(1)};
    if (pack_all || ragged) {
      pack(call, row, inner, first, columns, width, packed);
      tile.b = packed;
      tile.b_stride = width;
    }
    if (ragged)
      run_ragged_panel(tile, call.m, columns);
    else
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

}  // namespace

void gemm_float(const GemmCall<float>& call) { run(call); }
void gemm_double(const GemmCall<double>& call) { run(call); }

}  // namespace HWY_NAMESPACE
}  // namespace asap
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap {
namespace {

HWY_EXPORT(gemm_float);
HWY_EXPORT(gemm_double);

void run(const GemmCall<float>& call) { HWY_DYNAMIC_DISPATCH(gemm_float)(call); }
void run(const GemmCall<double>& call) { HWY_DYNAMIC_DISPATCH(gemm_double)(call); }

/// C = beta C, for products with nothing to sum.
template <class T>
void scale_only(T beta, const MatrixView<T>& c) {
  for (std::int64_t i = 0; i < c.rows; ++i)
    for (T& value : c.row(i)) value = beta == T(0) ? T(0) : beta * value;
}

}  // namespace

template <class T>
void gemm(Transpose transpose_a, Transpose transpose_b, T alpha, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> c) {
  const bool ta = transpose_a == Transpose::yes;
  const bool tb = transpose_b == Transpose::yes;
  const std::int64_t inner = ta ? a.rows : a.cols;
  check((ta ? a.cols : a.rows) == c.rows && (tb ? b.rows : b.cols) == c.cols &&
            (tb ? b.cols : b.rows) == inner,
        "gemm: shapes do not fit");
  if (c.rows == 0 || c.cols == 0) return;
  if (inner == 0) return scale_only(beta, c);
  run(GemmCall<T>{c.rows, c.cols, inner, alpha, beta, a.data, ta ? 1 : a.stride, ta ? a.stride : 1,
                  b.data, b.stride, tb, c.data, c.stride});
}

template void gemm<float>(Transpose, Transpose, float, MatrixView<const float>,
                          MatrixView<const float>, float, MatrixView<float>);
template void gemm<double>(Transpose, Transpose, double, MatrixView<const double>,
                           MatrixView<const double>, double, MatrixView<double>);

}  // namespace asap
#endif  // HWY_ONCE
