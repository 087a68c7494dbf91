#include "transport/sorting.h"

#include <algorithm>
#include <bit>
#include <compare>
#include <numeric>

#include <hwy/contrib/sort/vqsort.h>

namespace asap::transport {
namespace {

// Below this length the fixed cost of the vectorised sort (about half a microsecond) exceeds
// std::sort.
constexpr std::size_t kVectorisedFrom = 40;

const hwy::Sorter& vectorised_sorter() {
  thread_local const hwy::Sorter sorter;
  return sorter;
}

// Orders are total, NaN included: std::sort may leave its range when comparisons contradict each
// other.

/// A whole number that orders like the float does; both zeros are one value.
std::uint32_t ordered_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value + 0.0f);
  return bits ^ ((bits >> 31) != 0 ? 0xffffffffu : 0x80000000u);
}

float from_ordered_bits(std::uint32_t bits) {
  return std::bit_cast<float>(bits ^ ((bits >> 31) != 0 ? 0x80000000u : 0xffffffffu));
}

}  // namespace

void sort_values(tensor::VectorView<float> values) {
  if (values.size() < kVectorisedFrom)
    std::sort(values.begin(), values.end(),
              [](float a, float b) { return ordered_bits(a) < ordered_bits(b); });
  else
    vectorised_sorter()(values.data(), values.size(), hwy::SortAscending());
}

void sort_values(tensor::VectorView<double> values) {
  std::sort(values.begin(), values.end(),
            [](double a, double b) { return std::is_lt(std::strong_order(a, b)); });
}

// Value and index in one 64-bit key: all keys differ, so any sort gives the one stable order.
void sort_with_order(tensor::VectorView<const float> values, tensor::VectorView<float> sorted,
                     tensor::VectorView<std::int32_t> order, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const std::size_t count = values.size();
  const tensor::VectorView<std::uint64_t> keys =
      scratch.vector<std::uint64_t>(static_cast<std::int64_t>(count));
  for (std::size_t i = 0; i < count; ++i)
    keys[i] = (static_cast<std::uint64_t>(ordered_bits(values[i])) << 32) | i;
  if (count < kVectorisedFrom)
    std::sort(keys.begin(), keys.end());
  else
    vectorised_sorter()(keys.data(), count, hwy::SortAscending());
  for (std::size_t r = 0; r < count; ++r) {
    order[r] = static_cast<std::int32_t>(keys[r]);
    sorted[r] = from_ordered_bits(static_cast<std::uint32_t>(keys[r] >> 32));
  }
}

void sort_with_order(tensor::VectorView<const double> values, tensor::VectorView<double> sorted,
                     tensor::VectorView<std::int32_t> order, tensor::Arena&) {
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return std::is_lt(std::strong_order(values[a] + 0.0, values[b] + 0.0));
  });
  for (std::size_t r = 0; r < values.size(); ++r) sorted[r] = values[order[r]];
}

}  // namespace asap::transport
