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
  std::vector<std::int32_t> labels;   ///< [sets], not negative, or kNotScored
  std::vector<std::string> names;     ///< [sets] of parse_unlabelled_points; else empty

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
};

// Readers of file contents. DataError names `source` and the line or set of the mistake: sizes that
// do not fit the bytes, numbers that are not finite, labels that are not whole.

/// The binary layout of ModelNet10 samples, plain or packed with gzip: "MN10", then little-endian
/// u32 sets, u32 points, u32 3, one byte per set for its label, and i16 coordinates [sets, points,
/// 3] in units of 1/32767.
PointSets parse_modelnet(std::string_view bytes, const std::string& source);

/// Text, decoded by io::DecodedText, with one point per line: set, label, then the coordinates. One
/// separator parts all of them: semicolons (coordinates may then have decimal commas), else commas,
/// tabs or blanks. The points of a set follow each other and agree in the first two columns. The
/// first line may hold column names, which must fit; lines that are empty or begin with # are
/// skipped.
PointSets parse_delimited_points(std::string_view bytes, const std::string& source);

/// The same for points of `width` coordinates whose label is not known: lines hold set, label and
/// coordinates, set and coordinates, or, of a file that is one set, coordinates alone. Sets without
/// a label get kNotScored. The names in the first column become PointSets::names.
PointSets parse_unlabelled_points(std::string_view bytes, int width, const std::string& source);

/// Arrays [sets, points, width] and [sets] of NumPy files.
PointSets point_sets_from_arrays(const io::StoredTensor& points, const io::StoredTensor& labels,
                                 const std::string& source);

}  // namespace asap::data
