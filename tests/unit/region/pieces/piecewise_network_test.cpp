#include "region/pieces/piecewise_network.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"
#include "region/network/region_count.h"

namespace asap::test {
namespace {

TEST_CASE("the network of straight pieces equals them on the whole line") {
  base::RandomStream random(5, base::RandomPurpose::test);
  for (const int pieces : {1, 2, 3, 8, 40}) {
    region::PiecewiseLinear line;
    double x = 1e6;
    for (int k = 0; k <= pieces; ++k) {
      line.x.push_back(x += random.uniform(0.1, 2));
      line.y.push_back(1e3 * random.normal());
    }
    const region::ReluNetwork network = region::to_network(line);
    CHECK(network.depth() == 1);
    CHECK(network.parameter_count() == 3 * std::max(pieces, 2) + 1);
    CHECK(region::count_regions(network, {line.x.front() - 5, line.x.back() + 5}).linear_regions ==
          pieces);
    for (int i = -50; i <= 150; ++i) {
      const double at = line.x.front() + (line.x.back() - line.x.front()) * i / 100;
      // Sums of as many terms as pieces, each up to slope 2e4 times length.
      CHECK(network(at) == doctest::Approx(line(at)).epsilon(1e-9));
    }
  }
}

}  // namespace
}  // namespace asap::test
