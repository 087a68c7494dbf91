// Loads and stores of the first lanes of a vector, for kernels that Highway compiles once per
// instruction set (see simd-inl.h).
#if defined(ASAP_TENSOR_PARTIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ASAP_TENSOR_PARTIAL_INL_H_
#undef ASAP_TENSOR_PARTIAL_INL_H_
#else
#define ASAP_TENSOR_PARTIAL_INL_H_
#endif

#include <cstdint>

#include <hwy/highway.h>

// Where the processor has no masked access that leaves the masked lanes alone, a small buffer
// stands in.
#ifdef ASAP_MASKED_ACCESS
#undef ASAP_MASKED_ACCESS
#endif
#define ASAP_MASKED_ACCESS (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2)

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The first `count` lanes from `from`, zeros behind them; nothing else is read. 0 <= count <=
/// lanes.
template <class D, class T>
HWY_INLINE hn::Vec<D> load_first(D d, std::int64_t count, const T* from) {
#if ASAP_MASKED_ACCESS
  return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(count)), d, from);
#else
  HWY_ALIGN T buffer[hn::MaxLanes(D())] = {};
  for (std::int64_t lane = 0; lane < count; ++lane) buffer[lane] = from[lane];
  return hn::Load(d, buffer);
#endif
}

/// Stores the first `count` lanes to `to`; nothing else is written. 0 <= count <= lanes.
template <class D, class V, class T>
HWY_INLINE void store_first(D d, std::int64_t count, V value, T* to) {
#if ASAP_MASKED_ACCESS
  hn::BlendedStore(value, hn::FirstN(d, static_cast<std::size_t>(count)), d, to);
#else
  HWY_ALIGN T buffer[hn::MaxLanes(D())];
  hn::Store(value, d, buffer);
  for (std::int64_t lane = 0; lane < count; ++lane) to[lane] = buffer[lane];
#endif
}

/// load_first and store_first that cost nothing where `count` is known to be all lanes.
template <class D, class T>
HWY_INLINE hn::Vec<D> load_part(D d, std::int64_t count, const T* from) {
  if (count == static_cast<std::int64_t>(hn::MaxLanes(D()))) return hn::LoadU(d, from);
  return load_first(d, count, from);
}
template <class D, class V, class T>
HWY_INLINE void store_part(D d, std::int64_t count, V value, T* to) {
  if (count == static_cast<std::int64_t>(hn::MaxLanes(D())))
    hn::StoreU(value, d, to);
  else
    store_first(d, count, value, to);
}

/// Calls body(index, live) for the whole vectors of [0, count), live = lanes, and once for what is
/// left.
template <class T, class Body>
HWY_INLINE void for_each_part(std::int64_t count, const Body& body) {
  constexpr std::int64_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());
  std::int64_t index = 0;
  for (; index + kLanes <= count; index += kLanes) body(index, kLanes);
  if (index < count) body(index, count - index);
}

}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#endif
