#include "region/ridge/kan_model.h"

#include <doctest/doctest.h>

#include "gradient/jacobian_check.h"

namespace asap::test {
namespace {

TEST_CASE("the Jacobian of a Kolmogorov-Arnold network agrees with finite differences") {
  const region::Rows rows = some_rows(20, 3);
  region::KanModel model(rows, {3, {4, 2}, 5});
  CHECK(model.parameter_count() == (12 + 8 + 2) * 9);
  CHECK(largest_difference(model, random_vector(model.parameter_count(), 0.4, 40)) < kTolerance);
}

}  // namespace
}  // namespace asap::test
