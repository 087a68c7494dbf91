#include "tensor/simd/skeleton.h"

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/random.h"

using namespace asap;
using namespace asap::tensor;

namespace {

template <class T>
std::vector<T> normal_values(std::int64_t count, base::RandomStream& random) {
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(random.normal());
  return values;
}

}  // namespace

TEST_CASE_TEMPLATE("the kernels of the skeleton agree with plain loops at every length", T, float,
                   double) {
  base::RandomStream random(11, base::RandomPurpose::test);
  // A few vectors of the widest instruction set, and every tail.
  for (std::int64_t count = 0; count <= 70; ++count) {
    const std::vector<T> a = normal_values<T>(count, random), b = normal_values<T>(count, random);
    std::vector<T> out(count);
    skeleton_interpolate<T>(a, b, T(0.25), out);
    double distance = 0, size = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      // Two roundings, one where multiplication and addition are fused; so to a few units.
      CHECK(std::abs(out[i] - (a[i] + T(0.25) * (b[i] - a[i]))) <=
            4 * std::numeric_limits<T>::epsilon() * (std::abs(a[i]) + std::abs(b[i])));
      distance += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
      size += std::abs(static_cast<double>(a[i])) + std::abs(static_cast<double>(b[i]));
    }
    // A sum of n terms has an error of at most n units of the sum of their sizes.
    CHECK(std::abs(skeleton_l1_distance<T>(a, b) - distance) <=
          static_cast<double>(count) * std::numeric_limits<T>::epsilon() * size);
  }
}

TEST_CASE("the kernels of the skeleton write in place and touch nothing beyond the end") {
  std::vector<float> a(20, 1.0f), b(20, 3.0f);
  skeleton_interpolate<float>(std::span(a).first(19), std::span(b).first(19), 0.5f,
                              std::span(a).first(19));
  for (std::size_t i = 0; i < 19; ++i) CHECK(a[i] == 2.0f);
  CHECK(a[19] == 1.0f);
}

TEST_CASE("the kernels of the skeleton refuse vectors of different lengths") {
  std::vector<float> a(4), b(5);
  CHECK_THROWS_AS(skeleton_interpolate<float>(a, b, 1.0f, a), base::InternalError);
  CHECK_THROWS_AS(skeleton_l1_distance<float>(a, b), base::InternalError);
}
