#include "region/fit/continued_ends.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "region/fit/weights_model.h"
#include "region/network/region_count.h"

namespace asap::test {
namespace {

TEST_CASE("random networks keep their values, and their end pieces go on outside") {
  base::RandomStream random(4, base::RandomPurpose::test);
  const numerics::Interval interval{-1, 3};
  int changed = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const int depth = 1 + trial % 5;
    const region::NetworkShape shape = region::NetworkShape::uniform(depth, 4);
    region::Samples two{{interval.low, interval.high}, {0, 1}, {}};
    const region::WeightsModel model(two, shape.widths);
    std::vector<double> parameters;
    for (std::int64_t p = 0; p < shape.parameter_count(); ++p)
      parameters.push_back(random.normal());
    const region::ReluNetwork network = model.network(parameters);
    const region::ReluNetwork extended = region::with_continued_ends(network, interval);
    changed += extended.parameter_count() > network.parameter_count();
    CHECK(region::ends_continue(extended, interval));
    const region::RegionCount regions = region::count_regions(network, interval);
    const double size = 1 + std::abs(regions.slopes.front()) + std::abs(regions.slopes.back()) +
                        std::abs(network(interval.low)) + std::abs(network(interval.high));
    for (int i = 0; i <= 50; ++i) {
      const double part = i / 50.0, x = interval.at(part), step = part * interval.length();
      // Rounding of biases that are 64 lengths of the interval large.
      CHECK(std::abs(extended(x) - network(x)) < 1e-11 * size);
      CHECK(std::abs(extended(interval.low - step) - network(interval.low) +
                     regions.slopes.front() * step) < 1e-11 * size);
      CHECK(std::abs(extended(interval.high + step) - network(interval.high) -
                     regions.slopes.back() * step) < 1e-11 * size);
    }
    CHECK(region::count_regions(extended, interval).linear_regions == regions.linear_regions);
  }
  CHECK(changed > 40);
}

}  // namespace
}  // namespace asap::test
