#include "text/words.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <string>

#include <utf8proc.h>

#include "base/error.h"
#include "io/utf8.h"

namespace asap::text {
namespace {

/// combining: belongs to the character before it. ignored: neither begins, continues nor ends a
/// word.
enum class CharacterClass { word, combining, mark, blank, ignored };

/// Variation selectors choose between forms of the same character.
bool is_variation_selector(char32_t character) {
  return (character >= 0xfe00 && character <= 0xfe0f) ||
         (character >= 0xe0100 && character <= 0xe01ef);
}

CharacterClass category_of(char32_t character) {
  constexpr char32_t kZeroWidthSpace = 0x200b;  // a place to break lines between words
  if (is_variation_selector(character)) return CharacterClass::ignored;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(character))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_PC:
      return CharacterClass::word;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return CharacterClass::combining;
    case UTF8PROC_CATEGORY_CF:  // soft hyphens, joiners, marks of direction
      return character == kZeroWidthSpace ? CharacterClass::blank : CharacterClass::ignored;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CS:
      return CharacterClass::blank;
    default:
      return CharacterClass::mark;
  }
}

/// Class and lower case of the most frequent characters, computed once.
struct AsciiClasses {
  std::array<CharacterClass, 128> classes;
  std::array<char, 128> lower;
  AsciiClasses() {
    for (char32_t i = 0; i < 128; ++i) {
      classes[i] = category_of(i);
      lower[i] = static_cast<char>(utf8proc_tolower(static_cast<utf8proc_int32_t>(i)));
    }
  }
};

const AsciiClasses& ascii() {
  static const AsciiClasses table;
  return table;
}

CharacterClass class_of(char32_t character) {
  return character < 128 ? ascii().classes[character] : category_of(character);
}

char32_t lower(char32_t character) {
  if (character < 128) return static_cast<char32_t>(ascii().lower[character]);
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(character)));
}

bool is_apostrophe(char32_t character) { return character == U'\'' || character == U'\u2019'; }

bool begins_with_word(std::string_view text) {
  while (!text.empty()) {
    const CharacterClass found = class_of(io::next_character(text));
    if (found != CharacterClass::ignored) return found == CharacterClass::word;
  }
  return false;
}

/// Whether the text may not be in normal form C: no character below U+0300, which UTF-8 begins with
/// 0xcc, composes with another.
bool may_need_composing(std::string_view text) {
  for (const char byte : text)
    if (static_cast<unsigned char>(byte) >= 0xcc) return true;
  return false;
}

}  // namespace

std::string composed(std::string_view text) {
  if (!may_need_composing(text)) return std::string(text);
  utf8proc_uint8_t* buffer = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &buffer,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  base::check(length >= 0, "composed: not valid UTF-8");
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(buffer, &std::free);
  return {reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(length)};
}

void for_each_word(std::string_view text, const WordRules& rules,
                   const std::function<void(std::string_view)>& take) {
  std::string normal;
  if (may_need_composing(text)) text = normal = composed(text);
  std::string word;
  const auto append = [&](char32_t character) {
    io::append_utf8(rules.lowercase ? lower(character) : character, word);
  };
  const auto finish = [&] {
    if (!word.empty()) take(word);
    word.clear();
  };
  while (!text.empty()) {
    const char32_t character = io::next_character(text);
    const CharacterClass found = class_of(character);
    if (found == CharacterClass::ignored) continue;
    if (found == CharacterClass::combining) {
      if (!word.empty()) append(character);
      continue;
    }
    if (found == CharacterClass::word) {
      append(character);
      continue;
    }
    if (!word.empty() && is_apostrophe(character) && begins_with_word(text)) {
      word += '\'';  // one spelling for all apostrophes
      continue;
    }
    finish();
    if (found == CharacterClass::blank || !rules.punctuation) continue;
    append(character);
    finish();
  }
  finish();
}

}  // namespace asap::text
