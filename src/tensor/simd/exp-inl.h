// Exponentials for kernels that Highway compiles once per instruction set (see simd-inl.h).
#if defined(ASAP_TENSOR_EXP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ASAP_TENSOR_EXP_INL_H_
#undef ASAP_TENSOR_EXP_INL_H_
#else
#define ASAP_TENSOR_EXP_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr float kLog2E = 1.442695040888963407f;

/// c0 + r (c1 + r (c2 + ...)) with c0 = 1 and five further coefficients.
template <class D, class V>
HWY_INLINE V polynomial_5(D d, V r, float c1, float c2, float c3, float c4, float c5) {
  V p = hn::MulAdd(hn::Set(d, c5), r, hn::Set(d, c4));
  p = hn::MulAdd(p, r, hn::Set(d, c3));
  p = hn::MulAdd(p, r, hn::Set(d, c2));
  p = hn::MulAdd(p, r, hn::Set(d, c1));
  return hn::MulAdd(p, r, hn::Set(d, 1.0f));
}

/// x limited to [low, high]; NaN stays NaN.
template <class D, class V>
HWY_INLINE V clamp_keeping_nan(D d, V x, float low, float high) {
  const V clamped = hn::Min(hn::Set(d, high), hn::Max(hn::Set(d, low), x));
  // Vector instructions give the second operand when one is NaN; the fallbacks without them need
  // not.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
  return hn::IfThenElse(hn::Eq(x, x), clamped, x);
#else
  return clamped;
#endif
}

#if HWY_TARGET <= HWY_AVX3
// AVX-512 splits and joins mantissa and exponent in one instruction each.
HWY_INLINE hn::Vec512<float> fraction_above_floor(hn::Vec512<float> t) {
  return hn::Vec512<float>{_mm512_reduce_ps(t.raw, 1)};
}
HWY_INLINE hn::Vec256<float> fraction_above_floor(hn::Vec256<float> t) {
  return hn::Vec256<float>{_mm256_reduce_ps(t.raw, 1)};
}
template <std::size_t N>
HWY_INLINE hn::Vec128<float, N> fraction_above_floor(hn::Vec128<float, N> t) {
  return hn::Vec128<float, N>{_mm_reduce_ps(t.raw, 1)};
}
/// p 2^floor(t), and 0 where t < -126: a result below the normal numbers would take the processor
/// some 150 cycles, and lanes that are masked out cannot have one. NaN stays NaN.
HWY_INLINE hn::Vec512<float> scale_by_floor(hn::Vec512<float> p, hn::Vec512<float> t) {
  const __mmask16 normal = _mm512_cmp_ps_mask(t.raw, _mm512_set1_ps(-126.0f), _CMP_NLT_UQ);
  return hn::Vec512<float>{_mm512_maskz_scalef_ps(normal, p.raw, t.raw)};
}
HWY_INLINE hn::Vec256<float> scale_by_floor(hn::Vec256<float> p, hn::Vec256<float> t) {
  const __mmask8 normal = _mm256_cmp_ps_mask(t.raw, _mm256_set1_ps(-126.0f), _CMP_NLT_UQ);
  return hn::Vec256<float>{_mm256_maskz_scalef_ps(normal, p.raw, t.raw)};
}
template <std::size_t N>
HWY_INLINE hn::Vec128<float, N> scale_by_floor(hn::Vec128<float, N> p, hn::Vec128<float, N> t) {
  const __mmask8 normal = _mm_cmp_ps_mask(t.raw, _mm_set1_ps(-126.0f), _CMP_NLT_UQ);
  return hn::Vec128<float, N>{_mm_maskz_scalef_ps(normal, p.raw, t.raw)};
}
#else
/// A whole number, moved to where a float has its exponent: what to add to the bits of p for p
/// 2^whole. No conversion, which would have to treat NaN and large values apart: adding 1.5 * 2^23
/// leaves the whole number in the lowest bits, and NaN leaves zeros there.
template <class D, class V>
HWY_INLINE auto exponent_bits(D d, V whole) {
  const hn::RebindToSigned<D> di;
  return hn::ShiftLeft<23>(hn::BitCast(di, hn::Add(whole, hn::Set(d, 12582912.0f))));
}
#endif

/// 2^t for float lanes, relative error below 2e-7 (a minimax polynomial of degree 5 on [0, 1)):
/// exact for whole t, 0 below about -126, infinity from 128 on, NaN for NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp2_fast(D d, V t) {
#if HWY_TARGET <= HWY_AVX3
  const V r = fraction_above_floor(t);
#else
  t = clamp_keeping_nan(d, t, -127.0f, 128.0f);  // keeps the exponent within its eight bits
  const V whole = hn::Floor(t);
  const V r = hn::Sub(t, whole);
#endif
  const V p = polynomial_5(d, r, 0.6931512951850891f, 0.24016444385051727f, 0.05579991266131401f,
                           0.009017029777169228f, 0.0018671302823349833f);
#if HWY_TARGET <= HWY_AVX3
  return scale_by_floor(p, t);
#else
  const hn::RebindToSigned<D> di;
  const V result = hn::BitCast(d, hn::Add(hn::BitCast(di, p), exponent_bits(d, whole)));
  return hn::IfThenZeroElse(hn::Le(t, hn::Set(d, -127.0f)), result);
#endif
}

/// e^x for float lanes, relative error below 3e-7 over the whole range (the argument is reduced
/// with a two-part ln 2); 0 up to -87.3, infinity for overflow, NaN for NaN.
template <class D, class V = hn::Vec<D>, hwy::EnableIf<sizeof(hn::TFromD<D>) == 4>* = nullptr>
HWY_INLINE V exp_fast(D d, V x) {
  constexpr float kLeast = -87.3f;  // the least whose exponential is a normal number
  x = clamp_keeping_nan(d, x, kLeast, 89.0f);
  const V n = hn::Round(hn::Mul(x, hn::Set(d, kLog2E)));
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693145751953125f), x);
  r = hn::NegMulAdd(n, hn::Set(d, 1.42860682030941723e-6f), r);
  const V p = polynomial_5(d, r, 0.9999997071886749f, 0.4999914952878404f, 0.16667636196038627f,
                           0.041897929558908864f, 0.008290314751865663f);
#if HWY_TARGET <= HWY_AVX3
  const V result = scale_by_floor(p, n);
#else
  // In two steps, so that an exponent of 128 becomes infinity instead of wrapping into the sign.
  const V half = hn::Floor(hn::Mul(n, hn::Set(d, 0.5f)));
  const auto factor = [&](V exponent) HWY_ATTR {
    return hn::BitCast(d, exponent_bits(d, hn::Add(exponent, hn::Set(d, 127.0f))));
  };
  const V result = hn::Mul(hn::Mul(p, factor(half)), factor(hn::Sub(n, half)));
#endif
  return hn::IfThenZeroElse(hn::Le(x, hn::Set(d, kLeast)), result);
}

/// Doubles have no fast form: where time matters, values are float.
template <class D, class V = hn::Vec<D>, hwy::EnableIf<sizeof(hn::TFromD<D>) == 8>* = nullptr>
HWY_INLINE V exp_fast(D d, V x) {
  return hn::Exp(d, x);
}

}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#endif
