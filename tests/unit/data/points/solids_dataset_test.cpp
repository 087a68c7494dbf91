#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "data/load/load_dataset.h"
#include "support/drawn_sets.h"
#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

TEST_CASE("solids lie in the unit ball around 0, every one in turn") {
  const Dataset dataset = load_dataset(solids_config(), Split::train);
  std::vector<int> seen(8);
  for (std::int64_t example = 0; example < dataset.size(); ++example) {
    ++seen[dataset.labels[example]];
    double farthest = 0, mean[3] = {0, 0, 0};
    for (std::int64_t i = 0; i < 32; ++i) {
      const float* point = dataset.points.data() + (dataset.offsets[example] + i) * 3;
      farthest = std::max<double>(farthest, std::hypot(point[0], point[1], point[2]));
      for (int k = 0; k < 3; ++k) mean[k] += point[k] / 32;
    }
    CHECK(farthest == doctest::Approx(1).epsilon(1e-5));
    for (const double value : mean) CHECK(std::abs(value) < 1e-5);
  }
  CHECK(std::ranges::min(seen) > 0);
  DataConfig config = solids_config();
  config.classes = 9;
  expect_error<UsageError>([&] { load_dataset(config, Split::train); }, {"data.classes", "8"});
}
