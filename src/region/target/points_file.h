#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "region/network/samples.h"

namespace asap::region {

/// Points read from text and prepared for a fit: sorted by x, points of equal x averaged by weight.
struct PointsFile {
  Samples samples;
  std::vector<std::string> notes;  ///< what was changed, for the user
};

/// The number in a field of a delimited file, or nothing. Accepts a leading plus, nan and inf.
std::optional<double> to_number(std::string_view field);

/// Reads two columns x, y or three columns x, y, weight (positive; inverse variances), separated by
/// commas, semicolons, tabs or blanks. Blank lines and lines that begin with # are skipped; a first
/// line of words is a header. DataError names the file and line of text, NaN, infinity, a weight
/// that is not positive or a wrong number of columns, and the file when fewer than four different x
/// remain.
PointsFile parse_points(std::string_view text, const std::string& source);
PointsFile read_points(const std::filesystem::path& path);

}  // namespace asap::region
