#include "region/ridge/baselines.h"

#include <cmath>

#include <doctest/doctest.h>

namespace asap::test {
namespace {

TEST_CASE("dense shapes have about the wanted number of parameters") {
  for (const std::int64_t parameters : {60, 200, 1000})
    for (const region::NetworkShape& shape : region::dense_shapes(4, parameters))
      CHECK(std::abs(shape.parameter_count() - parameters) <= parameters / 8);
}

}  // namespace
}  // namespace asap::test
