#include "text/wordpiece_words.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include <utf8proc.h>

#include "base/error.h"
#include "io/utf8.h"

namespace asap::text {
namespace {

utf8proc_category_t category(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character));
}

/// White space in the sense of Unicode.
bool is_white(char32_t character) {
  return (character >= 0x09 && character <= 0x0d) || character == ' ' || character == 0x85 ||
         character == 0xa0 || character == 0x1680 || (character >= 0x2000 && character <= 0x200a) ||
         character == 0x2028 || character == 0x2029 || character == 0x202f || character == 0x205f ||
         character == 0x3000;
}

/// Control and format characters, those for private use, and the replacement character.
bool is_left_out(char32_t character) {
  if (character == '\t' || character == '\n' || character == '\r') return false;
  if (character == 0xfffd) return true;
  switch (category(character)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS:
      return true;
    default:
      return false;
  }
}

/// The blocks of Chinese characters; Korean and Japanese syllables are not among them.
bool is_chinese(char32_t character) {
  return (character >= 0x4e00 && character <= 0x9fff) ||
         (character >= 0x3400 && character <= 0x4dbf) ||
         (character >= 0x20000 && character <= 0x2a6df) ||
         (character >= 0x2a700 && character <= 0x2b73f) ||
         (character >= 0x2b740 && character <= 0x2b81f) ||
         (character >= 0x2b920 && character <= 0x2ceaf) ||
         (character >= 0xf900 && character <= 0xfaff) ||
         (character >= 0x2f800 && character <= 0x2fa1f);
}

bool is_punctuation(char32_t character) {
  if (character < 128)
    return (character >= '!' && character <= '/') || (character >= ':' && character <= '@') ||
           (character >= '[' && character <= '`') || (character >= '{' && character <= '~');
  switch (category(character)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return true;
    default:
      return false;
  }
}

/// Without characters that are left out; white space becomes spaces, which also stand around
/// Chinese characters.
std::string cleaned(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char32_t character = io::next_character(text);
    if (is_left_out(character)) continue;
    if (is_white(character)) {
      out += ' ';
    } else if (is_chinese(character)) {
      out += ' ';
      io::append_utf8(character, out);
      out += ' ';
    } else {
      io::append_utf8(character, out);
    }
  }
  return out;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char byte) { return static_cast<signed char>(byte) >= 0; });
}

/// Unicode normal form D.
std::string decomposed(const std::string& text) {
  utf8proc_uint8_t* buffer = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &buffer,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE));
  base::check(length >= 0, "decomposed: not valid UTF-8");
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(buffer, &std::free);
  return {reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(length)};
}

void append_lower(char32_t character, std::string& out) {
  constexpr char32_t kCapitalIWithDot = 0x130;  // the only one whose lower case has two characters
  if (character == kCapitalIWithDot) {
    out += "i\u0307";
    return;
  }
  io::append_utf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(character))),
                  out);
}

std::string normalised(std::string_view text, const WordPieceRules& rules) {
  std::string clean = cleaned(text);
  if (rules.strip_accents && !is_ascii(clean)) clean = decomposed(clean);
  std::string out;
  for (std::string_view rest = clean; !rest.empty();) {
    const char32_t character = io::next_character(rest);
    if (rules.strip_accents && character >= 128 && category(character) == UTF8PROC_CATEGORY_MN)
      continue;
    if (rules.lowercase)
      append_lower(character, out);
    else
      io::append_utf8(character, out);
  }
  return out;
}

}  // namespace

void for_each_wordpiece_word(std::string_view text, const WordPieceRules& rules,
                             const std::function<void(std::string_view)>& take) {
  const std::string normal = normalised(text, rules);
  std::string_view rest = normal;
  const char* word = rest.data();  // begin of the word that is being read
  const auto finish = [&](const char* end) {
    if (end > word) take({word, static_cast<std::size_t>(end - word)});
  };
  while (!rest.empty()) {
    const char* here = rest.data();
    const char32_t character = io::next_character(rest);
    if (!is_white(character) && !is_punctuation(character)) continue;
    finish(here);
    word = rest.data();
    if (!is_white(character)) take({here, static_cast<std::size_t>(word - here)});
  }
  finish(normal.data() + normal.size());
}

}  // namespace asap::text
