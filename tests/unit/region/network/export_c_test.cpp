#include "region/network/export_c.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_message.h"
#include "unit/region/network/small_network.h"

namespace asap::test {
namespace {

TEST_CASE("the C header holds the weights in full precision and refuses names that are not C") {
  const std::string header =
      region::export_c_header({small_network(), numerics::Interval{0, 1}}, "my_curve", "a */ b");
  CHECK(contains(header, "static inline double my_curve(double x) {"));
  CHECK(contains(header, "0.33333333333333331"));
  CHECK(contains(header, "#ifndef MY_CURVE_H"));
  CHECK(contains(header, "a * / b"));
  const std::string single =
      region::export_c_header({small_network(), {}}, "f", "", region::CNumber::float32);
  CHECK(contains(single, "static inline float f(float x) {"));
  CHECK(contains(single, "0.333333343f"));
  for (const char* name : {"", "2x", "a-b", "double", "x", "a b", "f(x)"})
    CHECK_THROWS_AS(region::export_c_header({small_network(), {}}, name, ""), base::UsageError);
}

}  // namespace
}  // namespace asap::test
