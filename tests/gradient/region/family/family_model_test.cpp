#include "region/family/family_model.h"

#include <doctest/doctest.h>

#include "gradient/jacobian_check.h"

namespace asap::test {
namespace {

TEST_CASE(
    "the Jacobian of the folded family agrees with finite differences for two and three pieces") {
  for (const int fold : {2, 3, 4}) {
    region::FamilyModel model(some_samples(24), {0, 1}, 4, fold, region::ScaleRule::free);
    CHECK(largest_difference(model, random_vector(model.parameter_count(), 0.3, 1)) < kTolerance);
  }
}

TEST_CASE("the Jacobian of the smooth family agrees with finite differences") {
  for (const int depth : {1, 2, 5}) {
    region::FamilyModel model(some_samples(24), {-1, 2}, depth, 2, region::ScaleRule::smooth);
    std::vector<double> parameters = random_vector(model.parameter_count(), 0.3, 2);
    parameters[parameters.size() - 3] = -1.5;  // the amplitude
    CHECK(largest_difference(model, parameters) < kTolerance);
  }
}

}  // namespace
}  // namespace asap::test
