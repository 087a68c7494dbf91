#include "region/fit/guide_samples.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

namespace asap::test {
namespace {

TEST_CASE("even points are sampled evenly, others in proportion to their weights") {
  region::Samples even = region::even_samples([](double x) { return x * x; }, {0, 1}, 50);
  const region::Samples plain = region::guide_samples(region::points_target("even", even), 101);
  for (int i = 0; i <= 100; ++i) CHECK(plain.x[i] == doctest::Approx(i / 100.0));

  // Nine tenths of the weight right of .8, by weights or by the number of points.
  region::Samples weighted = even, crowded;
  for (const double x : even.x) weighted.weight.push_back(x > 0.8 ? 36 : 1);
  for (int i = 0; i < 20; ++i) crowded.x.push_back(0.8 * i / 20);
  for (int i = 0; i <= 180; ++i) crowded.x.push_back(0.8 + 0.2 * i / 180);
  for (const double x : crowded.x) crowded.y.push_back(std::sin(x));
  for (const region::Samples& points : {weighted, crowded}) {
    const region::Target target = region::points_target("uneven", points);
    const region::Samples samples = region::guide_samples(target, 1000);
    const auto right = std::ranges::count_if(samples.x, [](double x) { return x > 0.8; });
    CHECK(static_cast<double>(right) / static_cast<double>(samples.size()) ==
          doctest::Approx(0.9).epsilon(0.03));
    CHECK(std::ranges::is_sorted(samples.x));
    for (std::size_t i = 0; i < samples.x.size(); ++i)
      CHECK(samples.y[i] == target.curve(samples.x[i]));
  }
}

}  // namespace
}  // namespace asap::test
