#include "transport/sorting.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

namespace asap::test {
namespace {

TEST_CASE("Sorting is stable, treats both zeros as equal and returns the values it was given") {
  for (const std::size_t size : {7u, 39u, 40u, 257u}) {
    base::RandomStream random(11, base::RandomPurpose::test, static_cast<std::uint32_t>(size));
    std::vector<float> values(size);
    for (std::size_t i = 0; i < size; ++i)
      values[i] =
          i % 5 == 0 ? (i % 2 == 0 ? 0.0f : -0.0f) : static_cast<float>(random.below(9)) - 4.0f;
    std::vector<std::int32_t> expected(size), order(size);
    std::iota(expected.begin(), expected.end(), 0);
    std::stable_sort(expected.begin(), expected.end(),
                     [&](int a, int b) { return values[a] < values[b]; });
    std::vector<float> sorted(size);
    tensor::Arena scratch;
    transport::sort_with_order(tensor::VectorView<const float>(values), sorted, order, scratch);
    CHECK(order == expected);
    for (std::size_t r = 0; r < size; ++r) CHECK(sorted[r] == values[order[r]]);
  }
}

TEST_CASE("NaN does not break the sort of the other values") {
  for (const std::size_t size : {20u, 30u}) {
    std::vector<float> values(size);
    std::vector<double> doubles(size);
    for (std::size_t i = 0; i < size; ++i)
      doubles[i] = values[i] = i % 3 == 0 ? NAN : static_cast<float>((i * 7) % size);
    transport::sort_values(tensor::VectorView<float>(values));
    transport::sort_values(tensor::VectorView<double>(doubles));
    const std::size_t numbers = size - (size + 2) / 3;
    for (std::size_t i = 1; i < numbers; ++i) {
      CHECK(values[i - 1] <= values[i]);
      CHECK(doubles[i - 1] <= doubles[i]);
    }
  }
}

}  // namespace
}  // namespace asap::test
