#include "base/text.h"

#include <vector>

#include <doctest/doctest.h>

using namespace asap::base;

TEST_CASE("the nearest name is found for typing errors only") {
  const std::vector<std::string> names = {"width", "heads", "layers"};
  CHECK(nearest_name("widht", names) == "width");
  CHECK(nearest_name("layer", names) == "layers");
  CHECK(nearest_name("temperature", names).empty());
  CHECK(suggestion("head", names) == "did you mean 'heads'?");
  CHECK(suggestion("temperature", names) == "expected one of: width, heads, layers");
}

TEST_CASE("split and join are inverse, and numbers read back exactly") {
  CHECK(split("a,b,,c", ',') == std::vector<std::string>{"a", "b", "", "c"});
  CHECK(split("a,", ',') == std::vector<std::string>{"a", ""});
  CHECK(split("", ',').empty());
  CHECK(join(split("x y z", ' '), "-") == "x-y-z");
  for (const double value : {0.1, 1e-300, 1.0 / 3, 12345.678, -0.0})
    CHECK(std::stod(format_number(value)) == value);
}

TEST_CASE("a word is quoted only where a shell would change it") {
  CHECK(shell_word("runs/a-1_b.c") == "runs/a-1_b.c");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("my runs/a") == "'my runs/a'");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("[\"a\"]") == "'[\"a\"]'");
}
