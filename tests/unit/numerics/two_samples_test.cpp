#include "numerics/two_samples.h"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

namespace asap::test {
namespace {

std::vector<float> normal_sample(int count, double mean, std::uint32_t id) {
  base::RandomStream random(17, base::RandomPurpose::test, id);
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(mean + random.normal()));
  std::ranges::sort(values);
  return values;
}

TEST_CASE("The distance is the largest difference of the distribution functions") {
  const std::vector<float> one = {1, 2, 3, 4}, apart = {5, 6}, mixed = {2, 2, 3.5F, 9};
  CHECK(numerics::kolmogorov_smirnov_distance(one, one) == 0);
  CHECK(numerics::kolmogorov_smirnov_distance(one, apart) == 1);
  CHECK(numerics::kolmogorov_smirnov_distance(one, mixed) == doctest::Approx(0.25));
  CHECK(numerics::kolmogorov_smirnov_distance(mixed, one) == doctest::Approx(0.25));
}

TEST_CASE("The probability is that of the tables") {
  // Critical distances for large samples: 1.358 and 1.949 over the root of n m / (n + m).
  CHECK(numerics::kolmogorov_smirnov_probability(1.358 / 50, 5000, 5000) ==
        doctest::Approx(0.05).epsilon(0.02));
  CHECK(numerics::kolmogorov_smirnov_probability(1.949 / 50, 5000, 5000) ==
        doctest::Approx(0.001).epsilon(0.04));
  CHECK(numerics::kolmogorov_smirnov_probability(0, 10, 10) == 1);
  CHECK(numerics::kolmogorov_smirnov_probability(1, 100, 100) < 1e-20);
}

TEST_CASE("Samples of one distribution are called different as often as the level says, or less") {
  int below = 0;
  for (std::uint32_t trial = 0; trial < 400; ++trial) {
    const std::vector<float> one = normal_sample(60, 0, 2 * trial),
                             other = normal_sample(90, 0, 2 * trial + 1);
    below += numerics::kolmogorov_smirnov_probability(
                 numerics::kolmogorov_smirnov_distance(one, other), 60, 90) < 0.05;
  }
  CHECK(below > 2);
  CHECK(below < 34);  // 20 are expected, three standard deviations are 13
  const std::vector<float> one = normal_sample(60, 0, 1), moved = normal_sample(90, 1, 2);
  CHECK(numerics::kolmogorov_smirnov_probability(numerics::kolmogorov_smirnov_distance(one, moved),
                                                 60, 90) < 1e-4);
}

}  // namespace
}  // namespace asap::test
