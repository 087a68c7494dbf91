#include "tensor/kernels/max_pooling.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "support/kernel_operands.h"

using namespace asap::base;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE_TEMPLATE("pooling takes the largest of four and returns the gradient to it", T, float,
                   double) {
  constexpr std::int64_t kImages = 2, kChannels = 19;
  for (const PoolingShape& shape : {PoolingShape{4, 6}, PoolingShape{5, 3}, PoolingShape{2, 2}}) {
    const std::int64_t rows = kImages * shape.pixels(), pooled = kImages * shape.pooled_pixels();
    const auto x = random_tensor<T>({rows, kChannels}, 1),
               dy = random_tensor<T>({pooled, kChannels}, 2);
    Tensor<T> y({pooled, kChannels}), dx({rows, kChannels}), expected({rows, kChannels});
    max_pool<T>(shape, x.rows(), y.rows());
    for (std::int64_t p = 0; p < pooled; ++p)
      for (std::int64_t c = 0; c < kChannels; ++c) {
        const std::int64_t columns = shape.width / 2, image = p / shape.pooled_pixels(),
                           place = p % shape.pooled_pixels();
        const std::int64_t first =
            image * shape.pixels() + place / columns * 2 * shape.width + place % columns * 2;
        std::int64_t best = first;
        for (const std::int64_t other : {first + 1, first + shape.width, first + shape.width + 1})
          if (x.rows()(other, c) > x.rows()(best, c)) best = other;
        REQUIRE(y.rows()(p, c) == x.rows()(best, c));
        expected.rows()(best, c) = dy.rows()(p, c);
      }
    std::ranges::fill(dx.flat(), T(9));  // must be overwritten everywhere
    max_pool_vjp<T>(shape, x.rows(), y.rows(), dy.rows(), dx.rows(), false);
    CHECK(std::ranges::equal(dx.flat(), expected.flat()));
    max_pool_vjp<T>(shape, x.rows(), y.rows(), dy.rows(), dx.rows(), true);
    for (std::int64_t i = 0; i < dx.size(); ++i) REQUIRE(dx[i] == 2 * expected[i]);
  }
}

TEST_CASE("of equal pixels the first gets the whole gradient") {
  const PoolingShape shape{2, 2};
  Tensor<float> x({4, 1}), y({1, 1}), dy({1, 1}), dx({4, 1});
  dy[0] = 3;
  max_pool<float>(shape, x.rows(), y.rows());
  max_pool_vjp<float>(shape, x.rows(), y.rows(), dy.rows(), dx.rows(), false);
  CHECK(dx[0] == 3);
  for (int i = 1; i < 4; ++i) CHECK(dx[i] == 0);
}

TEST_CASE("images that cannot be halved are refused") {
  Tensor<float> x({3, 1}), y({1, 1});
  expect_error<InternalError>(
      [&] {
        max_pool<float>({3, 1}, x.rows(), y.rows());
      },
      {"smaller than 2 x 2"});
  Tensor<float> five({5, 1});
  expect_error<InternalError>(
      [&] {
        max_pool<float>({2, 2}, five.rows(), y.rows());
      },
      {"shapes do not fit"});
}
