#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/text_lines.h"

namespace asap::io {

/// The separator of a file of numbers: what its first line declares (declared_separator), else of
/// semicolon, comma and tab the first that any line holds outside quotes, else the blank. Lines
/// that begin with # do not count. One file has one separator.
char numbers_separator(std::string_view text);

/// Whether a line of a file of numbers holds none: it is empty, begins with #, or is the first one
/// and declares the separator.
bool is_without_fields(const TextLines& lines);

/// The fields of one line, trimmed. A field in double quotes may hold separators and doubled
/// quotes. With the separator ' ', blanks and tabs of any number are one separator. DataError names
/// `place`, "FILE:LINE", for broken quoting.
std::vector<std::string> split_fields(std::string_view line, char separator,
                                      const std::string& place);

/// Reads the numbers of one file. Where semicolons separate, 20,7 is 20.7.
class NumberReader {
 public:
  NumberReader(char separator, std::string source)
      : decimal_comma_(separator == ';'), source_(std::move(source)) {}

  /// The number in a field, or nothing. Accepts a leading plus, nan and inf. DataError names the
  /// lines where one file has decimal commas and decimal points.
  std::optional<double> read(std::string_view field, std::int64_t line);

 private:
  bool decimal_comma_;
  std::string source_;
  std::int64_t comma_line_ = 0, point_line_ = 0;  // the first of each
};

/// The index of the column that a user calls `wanted`: a name of the header, or else a number
/// counted from 1. `names`: the header, empty where a file of `count` columns has none. DataError
/// names `place` and lists the header.
std::size_t find_column(const std::string& wanted, const std::vector<std::string>& names,
                        std::size_t count, const std::string& place);

/// The first name that a header holds twice; empty: none.
std::string repeated_name(const std::vector<std::string>& names);

/// Whether a column has no name, or the one that pandas gives to a column without.
bool is_unnamed(std::string_view name);

}  // namespace asap::io
