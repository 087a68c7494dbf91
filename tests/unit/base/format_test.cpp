#include "base/format.h"

#include <cmath>

#include <doctest/doctest.h>

using namespace asap::base;

TEST_CASE("numbers are written as people read them") {
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(1234567) == "1,234,567");
  CHECK(format_count(-1000) == "-1,000");
  CHECK(format_seconds(3.21) == "3.2 s");
  CHECK(format_seconds(42.4) == "42 s");
  CHECK(format_seconds(100) == "1:40");
  CHECK(format_seconds(3725) == "1:02:05");
  CHECK(format_seconds(1.0 / 0.0) == "?");
  CHECK(format_bytes(512) == "512 B");
  CHECK(format_bytes(1572864) == "1.5 MiB");
  CHECK(format_fixed(0.12345, 3) == "0.123");
  CHECK(format_fixed(std::nan(""), 3) == "-");
}

TEST_CASE("what is too large for decimals has an exponent") {
  CHECK(format_fixed(-123456789012345.0, 2) == "-123456789012345.00");
  CHECK(format_fixed(-1.25e160, 6) == "-1.25e+160");
  CHECK(format_fixed(1e15, 4) == "1e+15");
}

TEST_CASE("what rounds to zero has no sign, and what does not keeps its own") {
  CHECK(format_fixed(-1e-9, 5) == "0.00000");
  CHECK(format_fixed(-0.0, 2) == "0.00");
  CHECK(format_fixed(-0.4, 0) == "0");
  CHECK(format_fixed(-0.6, 0) == "-1");
  CHECK(format_fixed(-0.01, 2) == "-0.01");
  CHECK(format_fixed(-INFINITY, 2) == "-inf");
  CHECK(format_significant(-0.0) == "0");
  CHECK(format_significant(-1e-9) == "-1e-09");
}
