#include <doctest/doctest.h>

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
  const region::ReluNetwork flat = region::to_network(random_function(1, 2, 2, 8)),
                            deep = region::difference(a, flat), back = region::difference(flat, a);
  CHECK(deep.depth() == 3);
  CHECK(back.depth() == 3);
  for (const double x : {-0.9, -0.3, 0.1, 0.6, 1.1}) {
    CHECK(deep(x) == doctest::Approx(a(x) - flat(x)).epsilon(1e-12));
    CHECK(back(x) == doctest::Approx(flat(x) - a(x)).epsilon(1e-12));
  }
}

}  // namespace
}  // namespace asap::test
