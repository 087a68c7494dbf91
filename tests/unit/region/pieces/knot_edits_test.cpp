#include "region/pieces/knot_edits.h"

#include <doctest/doctest.h>

namespace asap::test {
namespace {

using region::PiecewiseLinear;

const PiecewiseLinear kLine{{0, 1, 3, 4}, {0, 2, 2.5, 0}};

TEST_CASE("one more knot leaves the function as it is") {
  const PiecewiseLinear more = region::with_knot(kLine, 1, 2.5);
  CHECK(more.x == std::vector<double>{0, 1, 2.5, 3, 4});
  for (const double x : {0.0, 0.3, 1.0, 2.0, 2.5, 2.9, 4.0})
    CHECK(more(x) == doctest::Approx(kLine(x)).epsilon(1e-14));
}

TEST_CASE("the knot that is missed least goes") {
  CHECK(region::without_idle_knot({{0, 1, 2, 3}, {0, 1, 2.1, 0}}).x ==
        std::vector<double>{0, 2, 3});
  // Slopes change by 1 at both; the second is missed over a shorter length.
  CHECK(region::without_idle_knot({{0, 4, 5, 5.5}, {0, 0, 1, 2}}).x ==
        std::vector<double>{0, 4, 5.5});
}

TEST_CASE("end pieces go on or end earlier") {
  const PiecewiseLinear wide = region::reaching(kLine, -1, 3.5);
  CHECK(wide.x == std::vector<double>{-1, 1, 3, 3.5});
  CHECK(wide.y.front() == doctest::Approx(-2));
  CHECK(wide.y.back() == doctest::Approx(1.25));
}

}  // namespace
}  // namespace asap::test
