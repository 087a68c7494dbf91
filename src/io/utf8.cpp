#include "io/utf8.h"

#include <algorithm>
#include <cstdio>

#include <utf8proc.h>

#include "base/error.h"

namespace asap::io {
namespace {

/// Reads one character; returns its number of bytes, or 0 when it is not valid.
std::size_t read_character(std::string_view text, utf8proc_int32_t& character) {
  const utf8proc_ssize_t length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(text.size()), &character);
  return length > 0 ? static_cast<std::size_t>(length) : 0;
}

/// The name for iconv of another encoding of Unicode, by the byte order mark or by the zero in the
/// first character; empty: none.
const char* wide_encoding(std::string_view text) {
  using namespace std::string_view_literals;
  if (text.starts_with("\xff\xfe\0\0"sv) || text.starts_with("\0\0\xfe\xff"sv)) return "utf-32";
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) return "utf-16";
  if (text.size() < 2 || (text[0] == '\0') == (text[1] == '\0')) return "";
  return text[0] == '\0' ? "utf-16be" : "utf-16le";
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    utf8proc_int32_t character = 0;
    const std::size_t length = read_character(text.substr(at), character);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

void require_utf8(std::string_view text, const std::string& source) {
  if (const std::string encoding = wide_encoding(text); !encoding.empty())
    throw base::DataError(source + ": the text is " + encoding + ", expected UTF-8",
                          "convert the file: iconv -f " + encoding + " -t utf-8 FILE > NEW_FILE");
  const std::size_t at = find_invalid_utf8(text);
  if (at == std::string_view::npos) return;
  const std::string_view before = text.substr(0, at);
  const char end = text.find('\n') == std::string_view::npos ? '\r' : '\n';
  const auto line = 1 + std::count(before.begin(), before.end(), end);
  char byte[8];
  std::snprintf(byte, sizeof byte, "0x%02x", static_cast<unsigned char>(text[at]));
  throw base::DataError(source + ":" + std::to_string(line) + ": byte " + byte + " at offset " +
                            std::to_string(at) + " is not valid UTF-8",
                        "convert the file, for example with iconv -f latin1 -t utf8");
}

char32_t next_character(std::string_view& text) {
  base::check(!text.empty(), "next_character: the text is at its end");
  if (const auto byte = static_cast<unsigned char>(text.front()); byte < 0x80) {
    text.remove_prefix(1);
    return byte;
  }
  utf8proc_int32_t character = 0;
  const std::size_t length = read_character(text, character);
  base::check(length > 0, "next_character: not valid UTF-8");
  text.remove_prefix(length);
  return static_cast<char32_t>(character);
}

void append_utf8(char32_t character, std::string& text) {
  if (character < 0x80) {
    text += static_cast<char>(character);
    return;
  }
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t length =
      utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes);
  base::check(length > 0, "append_utf8: not a character");
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

}  // namespace asap::io
