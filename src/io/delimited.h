#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace asap::io {

/// How the fields of a delimited file are separated.
struct DelimitedFormat {
  char separator = ',';
  bool quotes = true;  ///< fields may be in double quotes; false: a quote is an ordinary character
};

/// The rows of a delimited file (CSV, TSV), all with the same number of fields. The fields lie one
/// after the other in one buffer, so that the rows take the memory of their file and 8 bytes per
/// field and row.
class DelimitedRows {
 public:
  std::int64_t rows() const { return static_cast<std::int64_t>(lines_.size()); }
  std::int64_t columns() const { return columns_; }
  /// Valid as long as this object.
  std::string_view field(std::int64_t row, std::int64_t column) const;
  /// Line of the file at which a row begins, from 1.
  std::int64_t line(std::int64_t row) const { return lines_[static_cast<std::size_t>(row)]; }

 private:
  friend class DelimitedParser;
  std::string text_;
  std::vector<std::size_t> ends_;  // [rows * columns]: where each field ends, and the next begins
  std::vector<std::int64_t> lines_;
  std::int64_t columns_ = 0;
};

/// Reads text in the format of RFC 4180, plain or packed with gzip. Rows end with LF or CRLF
/// or, where none does, with CR; the last one may end with the text. A field in double quotes may
/// hold separators, line ends and doubled quotes. A byte order mark and empty lines are skipped. A
/// first line sep=; declares the separator, as for Excel, whatever the format says.
/// DataError names `source` and line for bytes that are not UTF-8 (DecodedText), broken quoting,
/// and rows whose number of columns differs from that of the first row; there the hint names
/// quotes where the row or the one before it has some and `quotes` is false.
/// `first_line`: the number of the first line, where the bytes are a part of `source`.
DelimitedRows parse_delimited(std::string_view bytes, const DelimitedFormat& format,
                              const std::string& source, std::int64_t first_line = 1);
DelimitedRows read_delimited(const std::filesystem::path& path, const DelimitedFormat& format);

}  // namespace asap::io
