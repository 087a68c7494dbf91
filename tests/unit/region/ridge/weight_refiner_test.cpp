#include "region/ridge/weight_refiner.h"

#include <doctest/doctest.h>

namespace asap::test {
namespace {

TEST_CASE("effort shrinks with size and turns to Adam where nothing would be left") {
  const region::RefinementOptions all;
  CHECK(all.limited(200, 1000).iterations == all.iterations);
  CHECK(all.limited(1500, 2000).iterations < all.iterations);
  CHECK(all.limited(1500, 2000).adam_steps == 0);
  CHECK(all.limited(20000, 20000).adam_steps > 0);
}

}  // namespace
}  // namespace asap::test
