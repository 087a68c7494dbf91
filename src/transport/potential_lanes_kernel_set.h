#pragma once

#include <cstdint>

namespace asap::transport {

/// Samples on a grid: value = low + step * (key >> index_bits). The rest of the key is the index of
/// the value in its sample.
struct GridLanes {
  const std::uint32_t* keys;  ///< sorted: [count, kPotentialLanes]
  std::int64_t count;
  int index_bits;
  const double* low;   ///< [kPotentialLanes]
  const double* step;  ///< [kPotentialLanes]
};

/// The grid of one lane.
struct GridLine {
  double low, step;
};

/// Samples as whole numbers in the same order.
struct PlainLanes {
  const std::uint32_t* keys;  ///< sorted: [count, kPotentialLanes]
  std::int64_t count;
};

/// What potential_lanes.cpp compiles once per instruction set.
struct PotentialLanesKernelSet {
  /// Sorts every lane of keys: [count, kPotentialLanes].
  void (*sort_lanes)(std::uint32_t* keys, std::int64_t count);
  /// Writes the keys of one lane, kPotentialLanes apart, and returns its grid. s: [count].
  GridLine (*grid_keys)(const float* s, std::int64_t count, int index_bits, std::uint32_t* keys);
  /// The same as whole numbers that order like t: [count].
  void (*plain_keys)(const float* t, std::int64_t count, std::uint32_t* keys);
  /// potential: [own.count, kPotentialLanes], of which the first `pairs` lanes are written.
  void (*lane_potentials)(const GridLanes& own, const PlainLanes& other, std::int64_t pairs,
                          double* potential);
};

}  // namespace asap::transport
