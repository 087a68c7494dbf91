#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/stored_tensor.h"

namespace asap::data {

/// Labelled sets of points, one after the other.
struct PointSets {
  int width = 0;                      ///< numbers per point
  std::vector<std::int64_t> offsets;  ///< [sets + 1]: first point of each
  std::vector<float> points;          ///< [offsets.back(), width]
  std::vector<std::int32_t> labels;   ///< [sets], not negative

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

// Readers of what files hold. DataError names `source`, and line or number of the set where
// something is wrong: sizes that do not fit the bytes, numbers that are not finite, labels that are
// not whole.

/// The binary layout of ModelNet10 samples, plain or packed with gzip: "MN10", then little-endian
/// u32 sets, u32 points, u32 3, one byte per set for its label, and i16 coordinates [sets, points,
/// 3] in units of 1/32767.
PointSets parse_modelnet(std::string_view bytes, const std::string& source);

/// Text, plain or packed with gzip, one point per line: set, label, then its coordinates, with
/// commas between them. Points of a set follow each other; its first two columns are the same in
/// each of its lines. The first line may hold names, and lines that are empty or begin with # are
/// passed over.
PointSets parse_delimited_points(std::string_view text, const std::string& source);

/// Arrays [sets, points, width] and [sets] of NumPy files.
PointSets point_sets_from_arrays(const io::StoredTensor& points, const io::StoredTensor& labels,
                                 const std::string& source);

}  // namespace asap::data
