#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "region/network/samples.h"
#include "region/target/point_columns.h"

namespace asap::region {

/// Different x that a fit needs.
inline constexpr int kFewestPoints = 4;

/// Points prepared for a fit: sorted by x, points of equal x averaged by weight.
struct PointsFile {
  Samples samples;
  std::vector<std::string> notes{};  ///< what was changed, for the user
  Spread spread{};                   ///< of the points of equal x
};

/// Reads points from text, decoded by io::DecodedText: two columns x, y or three columns x, y,
/// weight (positive; inverse variances), or the columns that are `chosen`; others may then hold
/// anything. One separator parts all of them: semicolons (numbers may
/// then have decimal commas), else commas, tabs or blanks. Fields may be in double quotes. Blank
/// lines and lines that begin with # are skipped; a first line of words is a header
/// (point_columns.h), as is one that holds a chosen name. DataError names the file and line of
/// text, NaN, infinity, a weight that is not positive or a wrong number of columns, and the file
/// when fewer than `fewest` different x remain.
PointsFile parse_points(std::string_view bytes, const std::string& source,
                        const ChosenColumns& chosen = {}, int fewest = kFewestPoints);
/// The same for points in memory, in any order: x, y and weight (or none) of equal length.
/// UsageError names the place of a value that is not finite and of a weight that is not positive.
PointsFile prepare_points(Samples points, const std::string& source);

/// Squares of numbers between these, and of their sums, are float64 numbers that are not zero.
inline constexpr double kLeastSpan = 1e-150, kLargest = 1e150;

/// DataError names the column whose values are larger, or differ by less. `chosen`: how the columns
/// are called; empty: x and y.
void require_moderate(const Samples& points, const std::string& source,
                      const ChosenColumns& chosen = {});

/// DataError when there are fewer than `fewest` points; `what`: "FILE: 3 points of different x".
void require_points(const Samples& points, int fewest, const std::string& what,
                    const std::string& hint);

}  // namespace asap::region
