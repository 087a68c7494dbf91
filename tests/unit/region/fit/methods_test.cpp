#include "region/fit/methods.h"

#include <doctest/doctest.h>

#include "base/error.h"

namespace asap::test {
namespace {

TEST_CASE("sizes that float64 or memory cannot hold are refused") {
  CHECK_THROWS_AS(region::check_size(27, 2, 1), base::UsageError);
  CHECK_THROWS_AS(region::check_size(17, 3, 1), base::UsageError);
  CHECK_THROWS_AS(region::check_size(0, 2, 1), base::UsageError);
  CHECK_THROWS_AS(region::check_size(5, 1, 1), base::UsageError);
  CHECK_THROWS_AS(region::check_size(20, 2, 8), base::UsageError);
  CHECK_THROWS_AS(region::check_size(5, 2, 20000), base::UsageError);
  CHECK_NOTHROW(region::check_size(16, 2, 1));
  region::FitOptions options;
  options.method = region::Method::smooth;
  options.fold = 3;
  CHECK_THROWS_AS(region::fit_network(region::function_target("x", {0, 1}), options),
                  base::UsageError);
  CHECK_THROWS_AS(region::method_from_name("smoth"), base::UsageError);
}

}  // namespace
}  // namespace asap::test
