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
  CHECK(words_of("e\u0301tude") == Words{"\u00e9tude"});       // a combining accent
  CHECK(words_of("a\u00a0b\u200bc") == Words{"a", "b", "c"});  // blanks without width and break
}

TEST_CASE("texts in either normal form have the same words") {
  CHECK(words_of("cafe\u0301 Zu\u0308rich A\u030angstro\u0308m") ==
        words_of("caf\u00e9 Z\u00fcrich \u00c5ngstr\u00f6m"));
  CHECK(words_of("\u1112\u1161\u11ab") == Words{"\ud55c"});       // Hangul
  CHECK(words_of("\u1ec7") == words_of("e\u0323\u0302"));         // two accents
  CHECK(words_of("e\u0302\u0323") == words_of("e\u0323\u0302"));  // in any order
  CHECK(words_of("x\u0301y") == Words{"x\u0301y"});               // no composed form
  CHECK(words_of("E\u0301", {false, true}) == Words{"\u00c9"});
  CHECK(words_of("\u0915\u094d\u0937") == Words{"\u0915\u094d\u0937"});  // Devanagari
  CHECK(composed("plain, gr\u00fc\u00df") == "plain, gr\u00fc\u00df");
}

TEST_CASE("marks without a letter and characters without a form neither begin nor split a word") {
  CHECK(words_of("\u2764\ufe0flove \ufe0fso") == Words{"\u2764", "love", "so"});
  CHECK(words_of("lo\ufe0fve\ufe0e") == Words{"love"});
  CHECK(words_of("\u845b\U000e0100") == Words{"\u845b"});
  CHECK(words_of("co\u00adoperate\u00ad") == Words{"cooperate"});
  CHECK(words_of("\u00ad \u0301a .\u0301b") == Words{"a", ".", "b"});
  CHECK(words_of("a\u2060b\u200dc\ufeff") == Words{"abc"});
  CHECK(words_of("don\u00ad'\u00adt") == Words{"don't"});
  CHECK(words_of("\u0301\ufe0f\u00ad").empty());
}
