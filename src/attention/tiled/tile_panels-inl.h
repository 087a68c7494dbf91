// Panels of a key block, for tile kernels that Highway compiles once per instruction set (see
// simd-inl.h).
#if defined(ASAP_ATTENTION_TILE_PANELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ASAP_ATTENTION_TILE_PANELS_INL_H_
#undef ASAP_ATTENTION_TILE_PANELS_INL_H_
#else
#define ASAP_ATTENTION_TILE_PANELS_INL_H_
#endif

#include <algorithm>
#include <type_traits>

#include "attention/tiled/tile_layout.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace tiles {

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(D()));

constexpr int kPanelVectors = 3;
static_assert(kTilePadding % kLanes == 0);

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

}  // namespace tiles
}  // namespace HWY_NAMESPACE
}  // namespace asap::attention
HWY_AFTER_NAMESPACE();

#endif
