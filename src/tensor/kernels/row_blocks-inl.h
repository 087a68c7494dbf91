// Reductions over blocks of rows, for kernels that Highway compiles once per instruction set (see
// simd-inl.h).
#if defined(ASAP_TENSOR_ROW_BLOCKS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ASAP_TENSOR_ROW_BLOCKS_INL_H_
#undef ASAP_TENSOR_ROW_BLOCKS_INL_H_
#else
#define ASAP_TENSOR_ROW_BLOCKS_INL_H_
#endif

#include <cstdint>
#include <limits>

#include <hwy/highway.h>

#include "tensor/core/view.h"
#include "tensor/simd/partial-inl.h"
#include "tensor/simd/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::tensor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Vector = hn::Vec<hn::ScalableTag<T>>;

template <class T>
constexpr std::int64_t lanes() {
  return static_cast<std::int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));
}

/// For each of `count` <= lanes rows the sum over j of term(row, j, live), as one vector: as many
/// rows are reduced together as a vector has lanes, because a horizontal sum per row would cost
/// more than short rows do. The term may have anything in lanes that are not live.
template <class T, class Term>
HWY_INLINE Vector<T> block_sums(std::int64_t count, std::int64_t cols, const Term& term) {
  const hn::ScalableTag<T> d;
  Vector<T> total[lanes<T>()];
  for (std::int64_t r = 0; r < lanes<T>(); ++r) total[r] = hn::Zero(d);
  for (std::int64_t r = 0; r < count; ++r) {
    auto sum = hn::Zero(d);
    for_each_part<T>(cols, [&](std::int64_t j, std::int64_t live) HWY_ATTR {
      const Vector<T> value = term(r, j, live);
      if (live == lanes<T>())
        sum = hn::Add(sum, value);
      else
        sum =
            hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(live)), value));
    });
    total[r] = sum;
  }
  return sums_of_rows(d, total);
}

/// The largest entry of each of `count` <= lanes rows, as one vector.
template <class T>
HWY_INLINE Vector<T> block_maxima(const MatrixView<const T>& x, std::int64_t first,
                                  std::int64_t count) {
  const hn::ScalableTag<T> d;
  const Vector<T> lowest = hn::Set(d, -std::numeric_limits<T>::infinity());
  Vector<T> best[lanes<T>()];
  for (std::int64_t r = 0; r < lanes<T>(); ++r) best[r] = lowest;
  for (std::int64_t r = 0; r < count; ++r) {
    const T* row = x.data + (first + r) * x.stride;
    auto top = lowest;
    for_each_part<T>(x.cols, [&](std::int64_t j, std::int64_t live) HWY_ATTR {
      const Vector<T> value = load_part(d, live, row + j);
      top = hn::Max(
          top, live == lanes<T>()
                   ? value
                   : hn::IfThenElse(hn::FirstN(d, static_cast<std::size_t>(live)), value, lowest));
    });
    best[r] = top;
  }
  return reduce_rows(d, best, [](Vector<T> a, Vector<T> b) HWY_ATTR { return hn::Max(a, b); });
}

/// Calls body(first, count) for blocks of at most as many rows as a vector has lanes. Bodies copy
/// what they need of views into local constants: a vector store may change anything that is reached
/// by reference.
template <class T, class Body>
HWY_INLINE void for_each_block(std::int64_t rows, const Body& body) {
  for (std::int64_t first = 0; first < rows; first += lanes<T>())
    body(first, HWY_MIN(lanes<T>(), rows - first));
}

}  // namespace HWY_NAMESPACE
}  // namespace asap::tensor
HWY_AFTER_NAMESPACE();

#endif
