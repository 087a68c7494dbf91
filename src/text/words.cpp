#include "text/words.h"

#include <array>
#include <string>

#include <utf8proc.h>

#include "io/utf8.h"

namespace asap::text {
namespace {

enum class CharacterClass { word, mark, blank };

CharacterClass category_of(char32_t character) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(character))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_PC:
      return CharacterClass::word;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
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
  return !text.empty() && class_of(io::next_character(text)) == CharacterClass::word;
}

}  // namespace

void for_each_word(std::string_view text, const WordRules& rules,
                   const std::function<void(std::string_view)>& take) {
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
