#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace asap::io {

/// How a table of text is written.
struct DelimitedFormat {
  char separator = ',';
  bool quotes =
      true;  ///< fields may stand in double quotes; without, a quote is an ordinary character
};

/// A table of text: rows of equally many fields. All of them lie one after the other in one buffer,
/// so that a table takes no more memory than its file and 8 bytes per field and row.
class DelimitedTable {
 public:
  std::int64_t rows() const { return static_cast<std::int64_t>(lines_.size()); }
  std::int64_t columns() const { return columns_; }
  /// Valid as long as the table.
  std::string_view field(std::int64_t row, std::int64_t column) const;
  /// Line of the file at which a row begins, from 1.
  std::int64_t line(std::int64_t row) const { return lines_[static_cast<std::size_t>(row)]; }

 private:
  friend class DelimitedParser;
  std::string text_;
  std::vector<std::size_t>
      ends_;  // [rows * columns]: where each field ends; it begins where the last one did
  std::vector<std::int64_t> lines_;
  std::int64_t columns_ = 0;
};

/// Reads text as RFC 4180 says, plain or packed with gzip: rows end with LF or CRLF, the last one
/// perhaps with the text; a field in double quotes may hold separators, line ends and, doubled,
/// quotes. A byte order mark and lines without any character are passed over. DataError names
/// `source` and line for bytes that are not UTF-8, broken quoting, and rows whose number of columns
/// is not that of the first one.
DelimitedTable parse_delimited(std::string_view bytes, const DelimitedFormat& format,
                               const std::string& source);
DelimitedTable read_delimited(const std::filesystem::path& path, const DelimitedFormat& format);

}  // namespace asap::io
