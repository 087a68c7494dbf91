#include "io/utf8.h"

#include <doctest/doctest.h>

using namespace asap::io;

TEST_CASE("invalid UTF-8 is found at its first byte") {
  CHECK(find_invalid_utf8("plain, gr\xc3\xbc\xc3\x9f"
                          "e, \xe2\x82\xac, \xf0\x9f\x98\x80") == std::string_view::npos);
  CHECK(find_invalid_utf8("") == std::string_view::npos);
  CHECK(find_invalid_utf8("ab\x80") == 2);            // continuation without a beginning
  CHECK(find_invalid_utf8("a\xc3") == 1);             // cut off
  CHECK(find_invalid_utf8("\xc0\xaf") == 0);          // overlong
  CHECK(find_invalid_utf8("\xed\xa0\x80") == 0);      // surrogate
  CHECK(find_invalid_utf8("\xf4\x90\x80\x80") == 0);  // beyond U+10FFFF
  CHECK(find_invalid_utf8("a\xf0\x9f\x98"
                          "b") == 1);  // too short
}

TEST_CASE("characters are taken off text and appended to it") {
  std::string_view text = "a\xc3\xbc\xf0\x9f\x98\x80";
  std::string copy;
  for (const char32_t expected : {U'a', U'\u00fc', U'\U0001f600'}) {
    const char32_t character = next_character(text);
    CHECK(character == expected);
    append_utf8(character, copy);
  }
  CHECK(text.empty());
  CHECK(copy == "a\xc3\xbc\xf0\x9f\x98\x80");
}
