#include "region/ridge/ridge_splines.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "region/target/rows.h"
#include "support/drawn_rows.h"

namespace asap::test {
namespace {

TEST_CASE("projection pursuit finds the two directions of a product") {
  const region::NamedRows named = drawn("x*y", 400, 0);
  const region::Rows unit = region::Standardisation::of(named).apply(named.rows);
  base::RandomStream random(1, base::RandomPurpose::test);
  region::RidgeSplinesOptions options;
  options.ridges = 2;
  const std::vector<region::RidgeSum> sums = region::pursue_projections(unit, options, random);
  REQUIRE(sums.size() == 2);
  for (const region::RidgeSpline& ridge : sums[1].ridges)
    CHECK(std::abs(std::abs(ridge.direction[0]) - std::sqrt(0.5)) < 0.02);
  CHECK(sums[1].error(unit) < 1e-5);
  CHECK(sums[1].error(unit) < sums[0].error(unit));
}

}  // namespace
}  // namespace asap::test
