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

TEST_CASE("the linear term moves into the ridges without a change of the function") {
  const region::NamedRows named = drawn("x+3*y+exp(x)", 300, 0);
  const region::Rows unit = region::Standardisation::of(named).apply(named.rows);
  base::RandomStream random(1, base::RandomPurpose::test);
  region::RidgeSplinesOptions options;
  options.ridges = 1;
  region::RidgeSum sum = region::pursue_projections(unit, options, random).front();
  CHECK(sum.error(unit) < 1e-4);
  region::RidgeSum moved = sum;
  moved.absorb_linear();
  for (std::int64_t i = 0; i < unit.size(); ++i)
    CHECK(moved(unit.row(i)) == doctest::Approx(sum(unit.row(i))).epsilon(1e-9));
  const std::vector<double>& direction = moved.ridges[0].direction;
  CHECK(std::abs(moved.linear.slope[0] * direction[0] + moved.linear.slope[1] * direction[1]) <
        1e-12);
}

TEST_CASE("the analytic Jacobian of a sum of ridges is that of finite differences") {
  const region::Rows rows = drawn("x*y+x", 40, 0).rows;
  region::RidgeSum start{{{{0.6, 0.8}, {-1.5, 1.5}, std::vector<double>(9), 0}},
                         {{0.3, -0.2}, 0.1}};
  for (std::size_t m = 0; m < 9; ++m) start.ridges[0].heights[m] = std::sin(1.7 * m);
  region::RidgeModel model(rows, start, 1e-3);
  std::vector<double> parameters = model.parameters();
  const std::int64_t p = model.parameter_count(), n = model.residual_count();
  REQUIRE(static_cast<std::int64_t>(parameters.size()) == p);
  tensor::Tensor<double> jacobian({p, n}), above({n}), below({n});
  model.evaluate(parameters, above.flat());
  model.jacobian(jacobian.rows());
  for (std::int64_t k = 0; k < p; ++k) {
    const auto at = static_cast<std::size_t>(k);
    const double step = 1e-6, before = parameters[at];
    parameters[at] = before + step;
    model.evaluate(parameters, above.flat());
    parameters[at] = before - step;
    model.evaluate(parameters, below.flat());
    parameters[at] = before;
    for (std::int64_t i = 0; i < n; ++i)
      CHECK(jacobian[k * n + i] ==
            doctest::Approx((above[i] - below[i]) / (2 * step)).epsilon(1e-6));
  }
}

}  // namespace
}  // namespace asap::test
