#include "io/text_lines.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "io/gzip.h"
#include "io/utf8.h"

namespace asap::io {

DecodedText::DecodedText(std::string_view bytes, const std::string& source) : text_(bytes) {
  if (is_gzip(bytes)) {
    unpacked_ = decompress_gzip(bytes, std::numeric_limits<std::size_t>::max(), source);
    text_ = unpacked_;
  }
  require_utf8(text_, source);
  text_ = without_byte_order_mark(text_);
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

std::optional<char> declared_separator(std::string_view text) {
  text = without_byte_order_mark(text);
  std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  if (line.size() >= 2 && line.front() == '"' && line.back() == '"')
    line = line.substr(1, line.size() - 2);
  constexpr std::string_view kDeclaration = "sep=";
  if (line.size() != kDeclaration.size() + 1) return std::nullopt;
  for (std::size_t i = 0; i < kDeclaration.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(line[i])) != kDeclaration[i]) return std::nullopt;
  const char separator = line.back();
  if (std::isalnum(static_cast<unsigned char>(separator)) != 0 ||
      std::string_view("\"'.+-_#").find(separator) != std::string_view::npos)
    return std::nullopt;
  return separator;
}

bool lines_end_with_cr(std::string_view text, bool quotes) {
  bool quoted = false, carriage_return = false;
  for (const char byte : text) {
    if (quotes && byte == '"') quoted = !quoted;
    if (byte == '\n' && !quoted) return false;
    carriage_return = carriage_return || (byte == '\r' && !quoted);
  }
  return carriage_return;
}

TextLines::TextLines(std::string_view text) : rest_(text) {
  if (lines_end_with_cr(text, false)) end_ = '\r';
}

bool TextLines::next() {
  if (rest_.empty()) return false;
  const std::size_t end = std::min(rest_.find(end_), rest_.size());
  line_ = without_byte_order_mark(rest_.substr(0, end));
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  ++number_;
  return true;
}

std::string unquoted(std::string_view field) {
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return std::string(field);
  const std::string_view inner = field.substr(1, field.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    out += inner[i];
    if (inner[i] != '"') continue;
    if (!inner.substr(i).starts_with("\"\"")) return std::string(field);
    ++i;
  }
  return out;
}

}  // namespace asap::io
