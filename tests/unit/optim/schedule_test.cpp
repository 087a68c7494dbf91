#include "optim/schedule.h"

#include <doctest/doctest.h>

using namespace asap::optim;

TEST_CASE("the schedule rises linearly to its peak and falls to its end by half a cosine") {
  const WarmupCosine schedule{2.0, 0.1, 10, 110};
  CHECK(schedule.rate(0) == doctest::Approx(0.2));
  CHECK(schedule.rate(9) == doctest::Approx(2.0));
  CHECK(schedule.rate(10) == doctest::Approx(2.0));
  CHECK(schedule.rate(109) == doctest::Approx(0.2));
  double middle = 0.5 * (schedule.rate(59) + schedule.rate(60));
  CHECK(middle == doctest::Approx(1.1).epsilon(1e-3));
}
