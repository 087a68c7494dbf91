#include "cli/wrapped.h"

#include <doctest/doctest.h>

#include "base/text.h"
#include "base/text_table.h"

using namespace asap::base;
using namespace asap::cli;

TEST_CASE("lines end between words and begin under each other") {
  CHECK(wrapped("one two three", 4, 12) == "one two\n    three");
  CHECK(wrapped("one two three", 4, 80) == "one two three");
  CHECK(wrapped("", 4, 80).empty());
  CHECK(wrapped("a-word-that-is-too-long b", 2, 10) == "a-word-that-is-too-long\n  b");
}

TEST_CASE("no line of short words reaches the last column, in any script") {
  const std::string text =
      "fashion-mnist train: 60,000 training, 10,000 test images of 28 x 28 pixels, 東京 café";
  for (int columns = 40; columns < 120; ++columns) {
    const std::vector<std::string> lines = split(wrapped(text, 14, columns), '\n');
    for (std::size_t i = 0; i < lines.size(); ++i)
      CHECK(static_cast<int>(display_width(lines[i])) + (i == 0 ? 14 : 0) < columns);
  }
}
