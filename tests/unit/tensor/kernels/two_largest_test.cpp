#include "tensor/kernels/two_largest.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "support/kernel_operands.h"

using namespace asap::tensor;
using namespace asap::test;

TEST_CASE_TEMPLATE("the two largest of any number of values are those of a sort", T, float,
                   double) {
  const T nothing = -std::numeric_limits<T>::infinity();
  for (std::int64_t count = 0; count <= 80; ++count)
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Tensor<T> values = random_tensor<T>({count}, seed);
      std::vector<T> sorted(values.data(), values.data() + count);
      sorted.insert(sorted.end(), 2, nothing);
      std::ranges::sort(sorted, std::greater<>());
      const TwoLargest<T> found = two_largest<T>(values.flat());
      CAPTURE(count);
      CHECK(found.first == sorted[0]);
      CHECK(found.second == sorted[1]);
    }
}

TEST_CASE_TEMPLATE("a largest value that occurs twice is both, wherever it stands", T, float,
                   double) {
  for (std::size_t one = 0; one < 40; ++one)
    for (std::size_t other = 0; other < 40; ++other) {
      std::vector<T> values(40, T(-3));
      values[one] = values[other] = T(2);
      const TwoLargest<T> found = two_largest<T>(VectorView<const T>(values));
      CHECK(found.first == T(2));
      CHECK(found.second == (one == other ? T(-3) : T(2)));
    }
}
