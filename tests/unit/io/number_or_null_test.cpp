#include "io/number_or_null.h"

#include <limits>

#include <doctest/doctest.h>

using namespace asap::io;

TEST_CASE("what is no finite number is null, as in written JSON") {
  CHECK(number_or_null(1.5) == 1.5);
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    CHECK(number_or_null(value).is_null());
    CHECK(format_json_line(Json(value)) == "null");
  }
}
