#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "region/network/samples.h"

namespace asap::region {

/// Points read from text, made fit for a fit: sorted by x, equal x averaged with their weights.
struct PointsFile {
  Samples samples;
  std::vector<std::string> notes;  ///< what was changed on the way, for the user
};

/// The number that a field of points or of a table is, or nothing. Accepts a leading plus, nan and
/// inf.
std::optional<double> to_number(std::string_view field);

/// Two columns x, y or three columns x, y, weight (positive; inverse variances), separated by
/// commas, semicolons, tabs or blanks. Blank lines and lines that begin with # are skipped, a first
/// line of words is a header. DataError names file and line for text, NaN, infinities, weights that
/// are not positive and lines of another width, and the file when fewer than four different x
/// remain.
PointsFile parse_points(std::string_view text, const std::string& source);
PointsFile read_points(const std::filesystem::path& path);

}  // namespace asap::region
