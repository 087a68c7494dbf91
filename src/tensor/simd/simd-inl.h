// Helpers for kernels that Highway compiles once per instruction set (see hwy/foreach_target.h).
#if defined(ASAP_TENSOR_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ASAP_TENSOR_SIMD_INL_H_
#undef ASAP_TENSOR_SIMD_INL_H_
#else
#define ASAP_TENSOR_SIMD_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <hwy/highway.h>

#include "tensor/simd/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Stores a vector, or adds it to what is there.
template <class D, class V, class T>
HWY_INLINE void put(D d, V value, T* out, bool accumulate) {
  hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, out), value) : value, d, out);
}

/// Calls body(tag, index) for full vectors and then, with a one-lane tag, for each value of the
/// tail. The body is a generic lambda; nothing outside [0, count) is touched.
template <class T, class Body>
HWY_INLINE void for_each_vector(std::int64_t count, const Body& body) {
  const hn::ScalableTag<T> wide;
  const hn::CappedTag<T, 1> narrow;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(wide));
  std::int64_t index = 0;
  for (; index + lanes <= count; index += lanes) body(wide, index);
  for (; index < count; ++index) body(narrow, index);
}

/// Sum over [0, count) of term(tag, index), a vector; the order depends only on count and the lane
/// width.
template <class T, class Term>
HWY_INLINE T sum_vectors(std::int64_t count, const Term& term) {
  const hn::ScalableTag<T> wide;
  const hn::CappedTag<T, 1> narrow;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(wide));
  auto even = hn::Zero(wide);
  auto odd = hn::Zero(wide);
  std::int64_t index = 0;
  for (; index + 2 * lanes <= count; index += 2 * lanes) {
    even = hn::Add(even, term(wide, index));
    odd = hn::Add(odd, term(wide, index + lanes));
  }
  if (index + lanes <= count) {
    even = hn::Add(even, term(wide, index));
    index += lanes;
  }
  T total = hn::GetLane(hn::SumOfLanes(wide, hn::Add(even, odd)));
  for (; index < count; ++index) total += hn::GetLane(term(narrow, index));
  return total;
}

/// Maximum over [0, count) of term(tag, index); -infinity for count = 0.
template <class T, class Term>
HWY_INLINE T max_vectors(std::int64_t count, const Term& term) {
  const hn::ScalableTag<T> wide;
  const hn::CappedTag<T, 1> narrow;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(wide));
  const T lowest = -std::numeric_limits<T>::infinity();
  auto best = hn::Set(wide, lowest);
  std::int64_t index = 0;
  for (; index + lanes <= count; index += lanes) best = hn::Max(best, term(wide, index));
#if HWY_TARGET == HWY_EMU128
  // MaxOfLanes of this fallback starts from the lowest finite value, which a row of -infinity lies
  // below.
  T result = lowest;
  for (std::int64_t lane = 0; lane < lanes; ++lane)
    result = std::max(result, hn::ExtractLane(best, static_cast<std::size_t>(lane)));
#else
  T result = hn::GetLane(hn::MaxOfLanes(wide, best));
#endif
  for (; index < count; ++index) {
    const T value = hn::GetLane(term(narrow, index));
    if (value > result) result = value;
  }
  return result;
}

}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#endif
