#include "c_source/c_text.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/error.h"

namespace asap::test {
namespace {

TEST_CASE("literals of floats read back as the same float") {
  const float values[] = {0.0f,
                          -0.0f,
                          1.0f,
                          0.1f,
                          -3.14159274f,
                          std::numeric_limits<float>::min(),
                          std::numeric_limits<float>::denorm_min(),
                          std::numeric_limits<float>::max()};
  for (const float value : values) {
    const std::string text = c_source::float_literal(value, "x");
    CHECK(text.back() == 'f');
    const float read = std::strtof(text.c_str(), nullptr);
    CHECK(read == value);
    CHECK(std::signbit(read) == std::signbit(value));
  }
  CHECK(c_source::float_literal(1.5f, "x") == "0x1.8p+0f");
  CHECK_THROWS_WITH_AS(c_source::float_literal(NAN, "layers.0.weight"),
                       doctest::Contains("layers.0.weight"), base::DataError);
}

TEST_CASE("literals of doubles read back as the same double and are no integers") {
  for (const double value : {1.0, 1e-5, 0.1, 255.0, 1e300}) {
    const std::string text = c_source::double_literal(value);
    CHECK(std::strtod(text.c_str(), nullptr) == value);
    CHECK(text.find_first_of(".e") != std::string::npos);
  }
}

TEST_CASE("strings and comments hold any bytes") {
  CHECK(c_source::string_literal("a\"b") == "\"a\\042b\"");
  CHECK(c_source::string_literal("\xc3\xa9?\n") == "\"\\303\\251\\077\\012\"");
  CHECK(c_source::comment_text("a */ b\n/* c") == "a * / b / * c");
}

TEST_CASE("names are letters, digits and _") {
  for (const char* name : {"net", "Net_2", "a"}) c_source::require_prefix(name);
  for (const char* name : {"", "2net", "my-net", "_x", "a b", "caf\xc3\xa9"})
    CHECK_THROWS_AS(c_source::require_prefix(name), base::UsageError);
  CHECK(c_source::in_capitals("net_2a") == "NET_2A");
}

TEST_CASE("arrays have names that C allows, and empty ones are NULL") {
  c_source::Constants constants;
  const std::vector<float> values{1, -2};
  CHECK(constants.array("layers.0.bias", values) == "layers_0_bias");
  CHECK(constants.array("none", {}) == "NULL");
  CHECK(constants.text() == "static const float layers_0_bias[] = {\n    0x1p+0f, -0x1p+1f,\n};\n");
}

}  // namespace
}  // namespace asap::test
