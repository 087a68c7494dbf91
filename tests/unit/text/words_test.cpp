#include "text/words.h"

#include <doctest/doctest.h>

#include "unit/text/small_texts.h"

using namespace asap::text;
using namespace asap::test;

namespace {

Words words_of(std::string_view text, const WordRules& rules = {}) {
  Words words;
  for_each_word(text, rules, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

}  // namespace

TEST_CASE("words are runs of letters and digits, marks stand alone") {
  CHECK(words_of("Wall St. rose 2.5%, again") ==
        Words{"wall", "st", ".", "rose", "2", ".", "5", "%", ",", "again"});
  CHECK(words_of("Wall St. rose", {false, true}) == Words{"Wall", "St", ".", "rose"});
  CHECK(words_of("(a) b!", {true, false}) == Words{"a", "b"});
  CHECK(words_of("snake_case #tag @user") == Words{"snake_case", "#", "tag", "@", "user"});
  CHECK(words_of(" \t\n\r ").empty());
  CHECK(words_of("").empty());
}

TEST_CASE("an apostrophe inside a word belongs to it") {
  CHECK(words_of("don't") == Words{"don't"});
  CHECK(words_of("don\u2019t") == Words{"don't"});
  CHECK(words_of("'quoted'") == Words{"'", "quoted", "'"});
  CHECK(words_of("dogs' o''clock") == Words{"dogs", "'", "o", "'", "'", "clock"});
}

TEST_CASE("letters of every script are letters, and symbols are words of their own") {
  CHECK(words_of("\u00c4rger \u0395\u039b\u039b\u0391\u03a3 5\u20ac") ==
        Words{"\u00e4rger", "\u03b5\u03bb\u03bb\u03b1\u03c3", "5", "\u20ac"});
  CHECK(words_of("fun\U0001f495\U0001f3b5") == Words{"fun", "\U0001f495", "\U0001f3b5"});
  CHECK(words_of("e\u0301tude") == Words{"e\u0301tude"});      // a combining accent
  CHECK(words_of("a\u00a0b\u200bc") == Words{"a", "b", "c"});  // blanks without width and break
}
