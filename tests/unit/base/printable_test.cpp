#include "base/printable.h"

#include <doctest/doctest.h>

using namespace asap::base;

TEST_CASE("text stays as it is, in every script") {
  for (const char* text : {"", "plain", "café", "東京", "\xf0\x9f\x99\x82", "a\\b"})
    CHECK(printable(text) == text);
}

TEST_CASE("control characters and bytes that are not UTF-8 are escaped") {
  CHECK(printable("a\x9b"
                  "31mb") == "a\\x9b31mb");
  CHECK(printable("\033[2J") == "\\x1b[2J");
  CHECK(printable("tab\tnew\nline\x7f") == "tab\\x09new\\x0aline\\x7f");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");           // U+009B, which some terminals obey
  CHECK(printable("\xe2\x80\xae") == "\\xe2\\x80\\xae");  // turns the direction of writing
  CHECK(printable("caf\xe9!") == "caf\\xe9!");            // Latin-1
  CHECK(printable("\xe6\x9d") == "\\xe6\\x9d");           // cut short
  CHECK(printable("\xc0\xaf\xed\xa0\x80") == "\\xc0\\xaf\\xed\\xa0\\x80");
  CHECK(printable(std::string_view("\0x", 2)) == "\\x00x");
}

TEST_CASE("the length of the first character") {
  CHECK(character_length("a") == 1);
  CHECK(character_length("é") == 2);
  CHECK(character_length("東") == 3);
  CHECK(character_length("\xf0\x9f\x99\x82") == 4);
  CHECK(character_length("") == 0);
  CHECK(character_length("\x9b") == 0);
}
