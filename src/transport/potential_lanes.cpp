#include "transport/potential_lanes.h"

#include <algorithm>
#include <bit>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "transport/potential_lanes.cpp"
#include <hwy/foreach_target.h>

#include "tensor/simd/dispatch.h"
#include "tensor/simd/simd-inl.h"
#include "transport/potential_lanes_kernel_set.h"

HWY_BEFORE_NAMESPACE();
namespace asap::transport {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

/// Sorts every lane of keys: [count, kPotentialLanes].
void sort_lanes(std::uint32_t* keys, std::int64_t count) {
  const hn::ScalableTag<std::uint32_t> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto order = [&](std::int64_t low, std::int64_t high) HWY_ATTR {
    std::uint32_t* a = keys + low * kPotentialLanes;
    std::uint32_t* b = keys + high * kPotentialLanes;
    for (std::int64_t l = 0; l < kPotentialLanes; l += lanes) {
      const auto x = hn::LoadU(d, a + l), y = hn::LoadU(d, b + l);
      hn::StoreU(hn::Min(x, y), d, a + l);
      hn::StoreU(hn::Max(x, y), d, b + l);
    }
  };
  const std::int64_t top =
      static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(count))) / 2;
  for (std::int64_t p = top; p > 0; p /= 2) {
    std::int64_t rest = 0;
    for (std::int64_t q = top, distance = p;; distance = q - p, q /= 2, rest = p) {
      // All i below count - distance with (i & p) == rest.
      for (std::int64_t begin = rest; begin < count - distance; begin += 2 * p)
        for (std::int64_t i = begin; i < std::min(begin + p, count - distance); ++i)
          order(i, i + distance);
      if (q == p) break;
    }
  }
}

/// Writes bits(i, vector) of kPotentialLanes-apart keys for all values; `bits` gives whole numbers.
template <class Bits>
HWY_INLINE void write_keys(const float* values, std::int64_t count, std::uint32_t* keys,
                           const Bits& bits) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  HWY_ALIGN std::uint32_t block[hn::MaxLanes(d)];
  for (std::int64_t i = 0; i < count; i += lanes) {
    const std::int64_t present = std::min(lanes, count - i);
    HWY_ALIGN float tail[hn::MaxLanes(d)] = {};
    if (present < lanes) std::copy_n(values + i, present, tail);
    hn::Store(bits(i, hn::LoadU(d, present < lanes ? tail : values + i)), du, block);
    for (std::int64_t l = 0; l < present; ++l) keys[(i + l) * kPotentialLanes] = block[l];
  }
}

/// keys_i = (place of s_i on the grid << index_bits) | i; returns the grid.
GridLine grid_keys(const float* s, std::int64_t count, int index_bits, std::uint32_t* keys) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const float high = max_vectors<float>(
      count, [&](auto e, std::int64_t i) HWY_ATTR { return hn::LoadU(e, s + i); });
  const float low = -max_vectors<float>(
      count, [&](auto e, std::int64_t i) HWY_ATTR { return hn::Neg(hn::LoadU(e, s + i)); });
  const auto steps = static_cast<float>((1u << std::min(24, 32 - index_bits)) - 1);
  const float inverse = high > low ? steps / (high - low) : 0.0f;
  write_keys(s, count, keys, [&](std::int64_t i, auto value) HWY_ATTR {
    // The order of the operands sends NaN to a place on the grid.
    const auto place = hn::Max(
        hn::Min(hn::Mul(hn::Sub(value, hn::Set(d, low)), hn::Set(d, inverse)), hn::Set(d, steps)),
        hn::Zero(d));
    const auto index = hn::Iota(du, static_cast<std::uint32_t>(i));
    return hn::Or(hn::ShiftLeftSame(hn::BitCast(du, hn::NearestInt(place)), index_bits), index);
  });
  return {low, (static_cast<double>(high) - low) / steps};
}

/// keys_j = a whole number that orders like t_j.
void plain_keys(const float* t, std::int64_t count, std::uint32_t* keys) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::RebindToUnsigned<decltype(d)> du;
  write_keys(t, count, keys, [&](std::int64_t, auto value) HWY_ATTR {
    const auto bits = hn::BitCast(di, value);
    const auto flip = hn::Or(hn::ShiftRight<31>(bits), hn::Set(di, INT32_MIN));
    return hn::BitCast(du, hn::Xor(bits, flip));
  });
}

/// Lanes of doubles at once, and what is read for them.
using Wide = hn::ScalableTag<double>;
using Narrow = hn::Rebind<std::int32_t, Wide>;

HWY_INLINE hn::Vec<Wide> grid_value(const GridLanes& lanes, std::int64_t r, std::int64_t l,
                                    hn::Vec<Wide> low, hn::Vec<Wide> step) {
  const hn::Rebind<std::uint32_t, Wide> bits;
  const auto place =
      hn::ShiftRightSame(hn::LoadU(bits, lanes.keys + r * kPotentialLanes + l), lanes.index_bits);
  return hn::MulAdd(step, hn::PromoteTo(Wide(), hn::BitCast(Narrow(), place)), low);
}

HWY_INLINE hn::Vec<Wide> plain_value(const PlainLanes& lanes, std::int64_t r, std::int64_t l) {
  const hn::Rebind<float, Wide> narrow_float;
  const Narrow d;
  const auto key =
      hn::LoadU(d, reinterpret_cast<const std::int32_t*>(lanes.keys) + r * kPotentialLanes + l);
  // Keys of positive values begin with a 1, which goes; in those of negative values all bits turn.
  const auto flip = hn::Or(hn::Not(hn::ShiftRight<31>(key)), hn::Set(d, INT32_MIN));
  return hn::PromoteTo(Wide(), hn::BitCast(narrow_float, hn::Xor(key, flip)));
}

/// potential: [own.count, kPotentialLanes], those of the first `pairs` lanes, each centred. See
/// accumulate_slopes of kantorovich_1d.cpp.
void lane_potentials(const GridLanes& own, const PlainLanes& other, std::int64_t pairs,
                     double* potential) {
  const Wide d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t whole_step = other.count / own.count, rest_step = other.count % own.count;
  for (std::int64_t l = 0; l < pairs; l += lanes) {
    const auto low = hn::LoadU(d, own.low + l), step = hn::LoadU(d, own.step + l);
    auto value = hn::Zero(d), sum = hn::Zero(d);
    auto here = grid_value(own, 0, l, low, step);
    hn::StoreU(value, d, potential + l);
    std::int64_t whole = 0, rest = 0;
    for (std::int64_t r = 0; r + 1 < own.count; ++r) {
      whole += whole_step;
      rest += rest_step;
      if (rest >= own.count) {
        rest -= own.count;
        ++whole;
      }
      const auto above = plain_value(other, whole, l);
      const auto below = rest == 0 ? plain_value(other, whole - 1, l) : above;
      const auto next = grid_value(own, r + 1, l, low, step);
      const auto slope = hn::Mul(hn::Set(d, 0.5), hn::Add(below, above));
      value = hn::NegMulAdd(hn::Sub(next, here), slope, value);
      here = next;
      hn::StoreU(value, d, potential + (r + 1) * kPotentialLanes + l);
      sum = hn::Add(sum, value);
    }
    const auto mean = hn::Div(sum, hn::Set(d, static_cast<double>(own.count)));
    for (std::int64_t r = 0; r < own.count; ++r) {
      double* at = potential + r * kPotentialLanes + l;
      hn::StoreU(hn::Sub(hn::LoadU(d, at), mean), d, at);
    }
  }
}

constexpr PotentialLanesKernelSet kKernelSet = {
    .sort_lanes = &sort_lanes,
    .grid_keys = &grid_keys,
    .plain_keys = &plain_keys,
    .lane_potentials = &lane_potentials,
};

const PotentialLanesKernelSet* kernel_set() { return &kKernelSet; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::transport
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::transport {
namespace {

ASAP_DEFINE_KERNELS(PotentialLanesKernelSet)

std::uint32_t* take_keys(std::int64_t count, tensor::Arena& scratch) {
  auto* keys = scratch.take<std::uint32_t>(count * kPotentialLanes);
  std::fill_n(keys, count * kPotentialLanes, 0u);
  return keys;
}

GridLanes write_grid_keys(tensor::MatrixView<const float> s, std::uint32_t* keys,
                          tensor::Arena& scratch) {
  const int index_bits = std::bit_width(static_cast<std::uint64_t>(s.cols - 1));
  double* low = scratch.take<double>(kPotentialLanes);
  double* step = scratch.take<double>(kPotentialLanes);
  std::fill_n(low, kPotentialLanes, 0.0);
  std::fill_n(step, kPotentialLanes, 0.0);
  for (std::int64_t l = 0; l < s.rows; ++l) {
    const GridLine line = kernels().grid_keys(s.row(l).data(), s.cols, index_bits, keys + l);
    low[l] = line.low;
    step[l] = line.step;
  }
  return {keys, s.cols, index_bits, low, step};
}

PlainLanes write_plain_keys(tensor::MatrixView<const float> t, std::uint32_t* keys) {
  for (std::int64_t l = 0; l < t.rows; ++l) kernels().plain_keys(t.row(l).data(), t.cols, keys + l);
  return {keys, t.cols};
}

}  // namespace

void add_kantorovich_potentials(tensor::MatrixView<const float> s,
                                tensor::MatrixView<const float> t,
                                tensor::VectorView<const float> weights,
                                tensor::VectorView<float> sum, tensor::Arena& scratch) {
  base::check(s.rows == t.rows && s.rows <= kPotentialLanes && std::ssize(weights) == s.rows &&
                  s.cols >= 1 && t.cols >= 1 && s.cols <= kLongestLaneSample &&
                  t.cols <= kLongestLaneSample && std::ssize(sum) == s.cols,
              "add_kantorovich_potentials: shapes do not fit");
  const tensor::ArenaScope scope(scratch);
  // Samples of one length that leave half of the lanes free are sorted in one go.
  const bool together = s.cols == t.cols && 2 * s.rows <= kPotentialLanes;
  std::uint32_t* keys = take_keys(s.cols, scratch);
  std::uint32_t* other_keys = together ? keys + kPotentialLanes / 2 : take_keys(t.cols, scratch);
  const GridLanes own = write_grid_keys(s, keys, scratch);
  const PlainLanes other = write_plain_keys(t, other_keys);
  kernels().sort_lanes(keys, s.cols);
  if (!together) kernels().sort_lanes(other_keys, t.cols);
  double* potential = scratch.take<double>(s.cols * kPotentialLanes);
  kernels().lane_potentials(own, other, s.rows, potential);
  const std::uint32_t index_mask = (1u << own.index_bits) - 1;
  for (std::int64_t l = 0; l < s.rows; ++l)
    for (std::int64_t at = l; at < s.cols * kPotentialLanes; at += kPotentialLanes)
      sum[keys[at] & index_mask] += weights[l] * static_cast<float>(potential[at]);
}

}  // namespace asap::transport
#endif  // HWY_ONCE
