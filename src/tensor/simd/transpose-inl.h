// Transposes inside registers for kernels that Highway compiles once per instruction set (see
// simd-inl.h).
#if defined(ASAP_TENSOR_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ASAP_TENSOR_TRANSPOSE_INL_H_
#undef ASAP_TENSOR_TRANSPOSE_INL_H_
#else
#define ASAP_TENSOR_TRANSPOSE_INL_H_
#endif

#include <cstdint>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
/// Transposes the 2 x 2 (double) or 4 x 4 (float) squares that a 128-bit block of consecutive rows
/// forms.
template <class D, class V>
HWY_INLINE void transpose_blocks(D d, V* rows) {
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    const V low = hn::InterleaveLower(d, rows[0], rows[1]);
    rows[1] = hn::InterleaveUpper(d, rows[0], rows[1]);
    rows[0] = low;
  } else {
    const V even_low = hn::InterleaveLower(d, rows[0], rows[2]);
    const V even_high = hn::InterleaveUpper(d, rows[0], rows[2]);
    const V odd_low = hn::InterleaveLower(d, rows[1], rows[3]);
    const V odd_high = hn::InterleaveUpper(d, rows[1], rows[3]);
    rows[0] = hn::InterleaveLower(d, even_low, odd_low);
    rows[1] = hn::InterleaveUpper(d, even_low, odd_low);
    rows[2] = hn::InterleaveLower(d, even_high, odd_high);
    rows[3] = hn::InterleaveUpper(d, even_high, odd_high);
  }
}

#endif

/// Transposes a square of kLanes vectors of kLanes lanes in place: rows[i] lane j becomes rows[j]
/// lane i. `D` is a full vector of float or double.
template <class D, class V>
HWY_INLINE void transpose_square([[maybe_unused]] D d, [[maybe_unused]] V* rows) {
#if HWY_TARGET != HWY_SCALAR
  constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
  constexpr int kPerBlock = 16 / static_cast<int>(sizeof(hn::TFromD<D>));
  for (int i = 0; i < kLanes; i += kPerBlock) transpose_blocks(d, rows + i);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  if constexpr (kLanes == 2 * kPerBlock) {
    for (int i = 0; i < kPerBlock; ++i) {
      const V low = rows[i], high = rows[i + kPerBlock];
      rows[i] = hn::ConcatLowerLower(d, high, low);
      rows[i + kPerBlock] = hn::ConcatUpperUpper(d, high, low);
    }
  }
  if constexpr (kLanes == 4 * kPerBlock) {
    for (int i = 0; i < kPerBlock; ++i) {
      const V a = rows[i], b = rows[i + kPerBlock];
      const V c = rows[i + 2 * kPerBlock], e = rows[i + 3 * kPerBlock];
      const V left = hn::ConcatLowerLower(d, c, a);    // a0 a1 c0 c1
      const V right = hn::ConcatUpperUpper(d, c, a);   // a2 a3 c2 c3
      const V left2 = hn::ConcatLowerLower(d, e, b);   // b0 b1 e0 e1
      const V right2 = hn::ConcatUpperUpper(d, e, b);  // b2 b3 e2 e3
      rows[i] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(left2), left);
      rows[i + kPerBlock] = hn::OddEvenBlocks(left2, hn::SwapAdjacentBlocks(left));
      rows[i + 2 * kPerBlock] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(right2), right);
      rows[i + 3 * kPerBlock] = hn::OddEvenBlocks(right2, hn::SwapAdjacentBlocks(right));
    }
  }
#endif
#endif
}

/// Reduces kLanes vectors, each over its lanes: lane i of the result is combine() over the lanes of
/// rows[i]. Every step halves the number of vectors, which costs a third of a transpose. Uses up
/// `rows`.
template <class D, class V, class Combine>
HWY_INLINE V reduce_rows([[maybe_unused]] D d, V* rows, [[maybe_unused]] const Combine& combine) {
#if HWY_TARGET != HWY_SCALAR
  constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
  constexpr int kPerBlock = 16 / static_cast<int>(sizeof(hn::TFromD<D>));
  for (std::int64_t i = 0; i < kLanes / 2; ++i)
    rows[i] = combine(hn::InterleaveLower(d, rows[2 * i], rows[2 * i + 1]),
                      hn::InterleaveUpper(d, rows[2 * i], rows[2 * i + 1]));
  if constexpr (kPerBlock == 4) {
    const hn::Repartition<double, D> pairs;
    for (std::int64_t i = 0; i < kLanes / 4; ++i) {
      const auto first = hn::BitCast(pairs, rows[2 * i]);
      const auto second = hn::BitCast(pairs, rows[2 * i + 1]);
      rows[i] = combine(hn::BitCast(d, hn::InterleaveLower(pairs, first, second)),
                        hn::BitCast(d, hn::InterleaveUpper(pairs, first, second)));
    }
  }
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  constexpr int kBlocks = kLanes / kPerBlock;
  if constexpr (kBlocks == 4) {
    for (std::int64_t i = 0; i < 2; ++i) {
      const V a = rows[2 * i], b = rows[2 * i + 1];
      rows[i] = combine(hn::OddEvenBlocks(b, a), hn::SwapAdjacentBlocks(hn::OddEvenBlocks(a, b)));
    }
  }
  if constexpr (kBlocks >= 2)
    rows[0] = combine(hn::ConcatLowerLower(d, rows[1], rows[0]),
                      hn::ConcatUpperUpper(d, rows[1], rows[0]));
#endif
#endif
  return rows[0];
}

/// The sums of kLanes vectors: lane i of the result is the sum of the lanes of rows[i]. Uses up
/// `rows`.
template <class D, class V>
HWY_INLINE V sums_of_rows(D d, V* rows) {
  return reduce_rows(d, rows, [](V a, V b) HWY_ATTR { return hn::Add(a, b); });
}

}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#endif
