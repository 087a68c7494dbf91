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
