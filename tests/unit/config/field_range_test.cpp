#include "config/field_range.h"

#include <limits>

#include <doctest/doctest.h>

using namespace asap::config;

TEST_CASE("a range holds its ends, unless it leaves out its minimum") {
  CHECK(inside(between(0, 1), 0));
  CHECK(inside(between(0, 1), 1));
  CHECK_FALSE(inside(between(0, 1), 1.5));
  CHECK(inside(at_least(0), 1e300));
  CHECK_FALSE(inside(at_least(0), -1e-300));
  CHECK_FALSE(inside(above(0), 0));
  CHECK(inside({}, -1e300));
}

TEST_CASE("no range holds NaN or infinity") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const FieldRange& range : {between(0, 1), at_least(0), above(0), FieldRange{}})
    for (const double value : {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()})
      CHECK_FALSE(inside(range, value));
}

TEST_CASE("a range says what a value must be") {
  CHECK(range_text(between(0.05, 0.5)) == "between 0.05 and 0.5");
  CHECK(range_text(at_least(0)) == "at least 0");
  CHECK(range_text(above(0)) == "above 0");
  CHECK(range_text({0, 1, true}) == "above 0 and at most 1");
  CHECK(range_text({-std::numeric_limits<double>::infinity(), 2}) == "at most 2");
  CHECK(range_text({}) == "finite");
}
