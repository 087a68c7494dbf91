#include <doctest/doctest.h>

#include "base/error.h"
#include "region/family/folded_function.h"
#include "support/folded_functions.h"

namespace asap::test {
namespace {

TEST_CASE("the difference of two networks computes the difference") {
  const region::FoldedFunction first = random_function(3, 2, 1, 8),
                               second = random_function(3, 3, 2, 9);
  const region::ReluNetwork a = region::to_network(first), b = region::to_network(second),
                            both = region::difference(a, b);
  for (const double x : {-0.9, -0.3, 0.1, 0.6, 1.1})
    CHECK(both(x) == doctest::Approx(a(x) - b(x)).epsilon(1e-12));
  CHECK_THROWS_AS(region::difference(a, region::to_network(random_function(2, 2, 1, 8))),
                  base::UsageError);
}

}  // namespace
}  // namespace asap::test
