#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace asap::io {

/// The text of a file: unpacked if it is packed with gzip, checked to be UTF-8, without the byte
/// order mark. DataError names `source`: as decompress_gzip and require_utf8.
class DecodedText {
 public:
  /// `bytes` must outlive the object.
  DecodedText(std::string_view bytes, const std::string& source);
  DecodedText(const DecodedText&) = delete;
  DecodedText& operator=(const DecodedText&) = delete;

  std::string_view text() const { return text_; }

 private:
  std::string unpacked_;
  std::string_view text_;
};

/// A text without the byte order mark at its front, if one is there.
std::string_view without_byte_order_mark(std::string_view text);

/// The separator that the first line declares as Excel reads it, "sep=;", or nothing.
std::optional<char> declared_separator(std::string_view text);

/// Whether every line ends with CR alone, as in files of old programs: a CR is there, and no LF
/// outside double quotes (`quotes`) or at all.
bool lines_end_with_cr(std::string_view text, bool quotes);

/// Goes through the lines of a decoded text. They end with LF, CRLF or, where no line ends with
/// LF, CR; the last may end with the text.
class TextLines {
 public:
  explicit TextLines(std::string_view text);

  /// Moves on to the next line; false at the end.
  bool next();
  /// The line without its end and without a byte order mark (files joined by cat have one inside).
  std::string_view line() const { return line_; }
  /// Its number, from 1.
  std::int64_t number() const { return number_; }

 private:
  std::string_view rest_, line_;
  std::int64_t number_ = 0;
  char end_ = '\n';
};

/// A field without the double quotes around it, if it has them; doubled quotes in it become one. A
/// field with other quotes in it stays as it is.
std::string unquoted(std::string_view field);

}  // namespace asap::io
