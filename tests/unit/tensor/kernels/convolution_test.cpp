#include "tensor/kernels/convolution.h"

#include <cmath>

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "support/kernel_operands.h"

using namespace asap::base;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// Value of an image, zero outside it.
template <class T>
double pixel(const ConvolutionShape& s, const Tensor<T>& images, std::int64_t image, std::int64_t y,
             std::int64_t x, std::int64_t channel) {
  if (y < 0 || y >= s.height || x < 0 || x >= s.width) return 0;
  return images.rows()(image * s.pixels() + y * s.width + x, channel);
}

/// Calls body(image, y, x, o, i, window row, window column) for every product of the definition.
template <class Body>
void for_each_product(const ConvolutionShape& s, std::int64_t images, const Body& body) {
  for (std::int64_t b = 0; b < images; ++b)
    for (std::int64_t y = 0; y < s.height; ++y)
      for (std::int64_t x = 0; x < s.width; ++x)
        for (std::int64_t o = 0; o < s.outputs; ++o)
          for (std::int64_t i = 0; i < s.inputs; ++i)
            for (std::int64_t r = 0; r < s.side; ++r)
              for (std::int64_t c = 0; c < s.side; ++c) body(b, y, x, o, i, r, c);
}

constexpr std::int64_t kImages = 3;
const ConvolutionShape kShapes[] = {
    {5, 4, 2, 3}, {1, 1, 3, 2}, {6, 3, 1, 17, 5}, {2, 7, 4, 1, 1}, {9, 8, 130, 4}};

/// Sums of up to 1,200 terms of size 1.
template <class T>
constexpr double kTolerance = 4 * kUlps<T>;

}  // namespace

TEST_CASE_TEMPLATE("a convolution and its gradients equal the definition", T, float, double) {
  for (const ConvolutionShape& s : kShapes) {
    CAPTURE(s.inputs);
    const std::int64_t rows = kImages * s.pixels(), taps = s.side * s.side, reach = s.side / 2;
    const auto images = random_tensor<T>({rows, s.inputs}, 1);
    const auto filters = random_tensor<T>({s.outputs, s.window()}, 2);
    const auto bias = random_tensor<T>({s.outputs}, 3);
    const auto dy = random_tensor<T>({rows, s.outputs}, 4);
    Tensor<double> out({rows, s.outputs}), dfilters({s.outputs, taps, s.inputs}),
        dimages({rows, s.inputs});
    for_each_product(s, kImages, [&](auto b, auto y, auto x, auto o, auto i, auto r, auto c) {
      const std::int64_t row = b * s.pixels() + y * s.width + x,
                         k = (r * s.side + c) * s.inputs + i;
      const std::int64_t from_y = y + r - reach, from_x = x + c - reach;
      const double value = pixel(s, images, b, from_y, from_x, i);
      out.rows()(row, o) += value * filters.rows()(o, k);
      dfilters[o * s.window() + k] += value * dy.rows()(row, o);
      if (from_y >= 0 && from_y < s.height && from_x >= 0 && from_x < s.width)
        dimages.rows()(b * s.pixels() + from_y * s.width + from_x, i) +=
            double(filters.rows()(o, k)) * dy.rows()(row, o);
    });
    Tensor<T> plain({rows, s.outputs}), biased({rows, s.outputs});
    convolve<T>(s, images.rows(), filters.rows(), {}, plain.rows());
    convolve<T>(s, images.rows(), filters.rows(), bias.flat(), biased.rows());
    for (std::int64_t p = 0; p < plain.size(); ++p) {
      REQUIRE(std::abs(plain[p] - out[p]) < kTolerance<T> * (1 + std::abs(out[p])));
      REQUIRE(std::abs(biased[p] - out[p] - bias[p % s.outputs]) <
              kTolerance<T> * (1 + std::abs(out[p])));
    }
    Tensor<T> by_filters({s.outputs, s.window()}), by_images({rows, s.inputs});
    for (const bool accumulate : {false, true}) {
      const int times = accumulate ? 2 : 1;
      convolution_filter_gradient<T>(s, images.rows(), dy.rows(), by_filters.rows(), accumulate);
      convolution_input_gradient<T>(s, filters.rows(), dy.rows(), by_images.rows(), accumulate);
      for (std::int64_t p = 0; p < by_filters.size(); ++p)
        REQUIRE(std::abs(by_filters[p] - times * dfilters[p]) <
                kTolerance<T> * (1 + std::abs(dfilters[p])));
      for (std::int64_t p = 0; p < by_images.size(); ++p)
        REQUIRE(std::abs(by_images[p] - times * dimages[p]) <
                kTolerance<T> * (1 + std::abs(dimages[p])));
    }
  }
}

TEST_CASE("gathered windows are those around their pixels, zero outside the image") {
  const ConvolutionShape shape{3, 2, 2, 1};
  Tensor<float> images({2 * 6, 2}), windows({5, 18});
  for (std::int64_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(1 + i);
  gather_windows<float>(shape, images.rows(), 4, windows.rows());
  for (std::int64_t row = 0; row < 5; ++row)
    for (std::int64_t k = 0; k < 18; ++k) {
      const std::int64_t p = 4 + row, y = p % 6 / 2 + k / 6 - 1, x = p % 2 + k / 2 % 3 - 1;
      REQUIRE(windows.rows()(row, k) == pixel(shape, images, p / 6, y, x, k % 2));
    }
}

TEST_CASE("an image has the same bytes alone and among others") {
  const ConvolutionShape shape{32, 32, 8, 5};
  const auto images = random_tensor<float>({4 * 1024, 8}, 1),
             filters = random_tensor<float>({5, 72}, 2);
  Tensor<float> all({4 * 1024, 5}), one({1024, 5});
  convolve<float>(shape, images.rows(), filters.rows(), {}, all.rows());
  convolve<float>(shape, images.rows().block(3 * 1024, 0, 1024, 8), filters.rows(), {}, one.rows());
  for (std::int64_t i = 0; i < one.size(); ++i) REQUIRE(one[i] == all[3 * 1024 * 5 + i]);
}

TEST_CASE("images and filters of other shapes are refused") {
  const ConvolutionShape shape{4, 4, 2, 3};
  const Tensor<float> images({16, 2}), cut({15, 2}), filters({3, 18}), narrow({3, 17});
  Tensor<float> out({16, 3}), short_out({15, 3});
  expect_error<InternalError>(
      [&] { convolve<float>(shape, cut.rows(), filters.rows(), {}, short_out.rows()); },
      {"shapes do not fit"});
  expect_error<InternalError>(
      [&] { convolve<float>(shape, images.rows(), narrow.rows(), {}, out.rows()); },
      {"shapes do not fit"});
  expect_error<InternalError>(
      [&] {
        Tensor<float> dfilters({3, 18});
        convolution_filter_gradient<float>(shape, images.rows(), short_out.rows(), dfilters.rows(),
                                           false);
      },
      {"shapes do not fit"});
}
