#include "distributed/ordered_sum.h"

#include <bit>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

using namespace asap::distributed;

namespace {

std::vector<std::vector<float>> drawn_gradients(std::size_t count, std::size_t size) {
  std::vector<std::vector<float>> gradients(count, std::vector<float>(size));
  for (std::size_t g = 0; g < count; ++g)
    for (std::size_t i = 0; i < size; ++i)
      gradients[g][i] = static_cast<float>(std::sin(1.0 + 7.3 * static_cast<double>(g * size + i)) *
                                           std::pow(10.0, static_cast<double>(i % 9) - 4));
  return gradients;
}

std::vector<asap::tensor::VectorView<float>> views(std::vector<std::vector<float>>& gradients) {
  return {gradients.begin(), gradients.end()};
}

}  // namespace

TEST_CASE("a segment of gradients is added one after the other, to the last bit") {
  for (const std::size_t size : {1, 4095, 4097, 20000})
    for (const int threads : {1, 3}) {
      std::vector<std::vector<float>> gradients = drawn_gradients(5, size);
      const Segment segment{size / 3, size - size / 3};
      std::vector<float> fresh(segment.length, 17.0f), continued(segment.length, 0.25f);
      add_in_order(views(gradients), segment, true, fresh, threads);
      add_in_order(views(gradients), segment, false, continued, threads);
      for (std::size_t i = 0; i < segment.length; ++i) {
        float expected = gradients[0][segment.begin + i];
        float onto = 0.25f + expected;
        for (std::size_t g = 1; g < gradients.size(); ++g) {
          expected += gradients[g][segment.begin + i];
          onto += gradients[g][segment.begin + i];
        }
        REQUIRE(fresh[i] == expected);
        REQUIRE(continued[i] == onto);
      }
    }
}

TEST_CASE("the first gradient may hold the sum, and a negative zero stays one") {
  std::vector<std::vector<float>> gradients = drawn_gradients(3, 100);
  gradients[0][7] = gradients[1][7] = gradients[2][7] = -0.0f;
  const std::vector<std::vector<float>> before = gradients;
  add_in_order(views(gradients), {0, 100}, true, gradients[0], 1);
  for (std::size_t i = 0; i < 100; ++i)
    REQUIRE(gradients[0][i] == before[0][i] + before[1][i] + before[2][i]);
  CHECK(std::signbit(gradients[0][7]));
  CHECK(gradients[1] == before[1]);
}
