#include "region/ridge/ridge_splines.h"

#include <doctest/doctest.h>

#include "gradient/jacobian_check.h"

namespace asap::test {
namespace {

TEST_CASE("the Jacobian of ridge splines agrees with finite differences, beyond their ends too") {
  const region::Rows rows = some_rows(30, 3);
  region::RidgeSum start;
  for (std::uint32_t k = 0; k < 2; ++k)
    start.ridges.push_back({random_vector(3, 1, 20 + k), {-0.8, 0.9}, random_vector(8, 1, 30 + k)});
  start.linear = {{0.4, -0.3, 0.2}, 0.1};
  region::RidgeModel model(rows, start, 0.3);
  CHECK(largest_difference(model, model.parameters()) < kTolerance);
}

}  // namespace
}  // namespace asap::test
