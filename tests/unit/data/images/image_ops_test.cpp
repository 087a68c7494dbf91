#include "data/images/image_ops.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "support/image_files.h"

using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::test;

namespace {

/// The formula of resize_image for one pixel, over all pixels of the image.
double naive_pixel(const Image& image, int channel, double row, double column, double row_scale,
                   double column_scale) {
  double sum = 0, weights = 0;
  for (int j = 0; j < image.height; ++j)
    for (int k = 0; k < image.width; ++k) {
      const double weight = std::max(0.0, 1 - std::abs(j - row) / row_scale) *
                            std::max(0.0, 1 - std::abs(k - column) / column_scale);
      sum += weight * image.at(channel, j, k);
      weights += weight;
    }
  return sum / weights;
}

}  // namespace

TEST_CASE("resizing agrees with its formula, larger and smaller, along each side") {
  const Image image = coloured_image(3, 13, 21);
  for (const auto& [height, width] :
       {std::pair(13, 21), std::pair(5, 8), std::pair(1, 1), std::pair(30, 7), std::pair(26, 63)}) {
    const Image resized = resize_image(image, height, width);
    REQUIRE(resized.height == height);
    REQUIRE(resized.width == width);
    REQUIRE(resized.pixels.size() == static_cast<std::size_t>(3 * height * width));
    const double rows = 13.0 / height, columns = 21.0 / width;
    for (int channel = 0; channel < 3; ++channel)
      for (int i = 0; i < height; ++i)
        for (int k = 0; k < width; ++k) {
          const double expected =
              naive_pixel(image, channel, (i + 0.5) * rows - 0.5, (k + 0.5) * columns - 0.5,
                          std::max(1.0, rows), std::max(1.0, columns));
          // Rounding to bytes; sums in another order may round a half the other way.
          CHECK(std::abs(resized.at(channel, i, k) - expected) <= 0.5 + 1e-9);
        }
  }
}

TEST_CASE("resizing to the same size changes nothing and keeps uniform images uniform") {
  const Image image = coloured_image(3, 9, 4);
  CHECK(resize_image(image, 9, 4).pixels == image.pixels);
  const Image uniform{1, 40, 30, std::vector<std::uint8_t>(1200, 255)};
  CHECK(std::ranges::all_of(resize_image(uniform, 7, 11).pixels,
                            [](std::uint8_t pixel) { return pixel == 255; }));
}

TEST_CASE("no pixel is passed over when an image shrinks") {
  Image stripes{1, 64, 64, {}};
  for (int i = 0; i < 64 * 64; ++i) stripes.pixels.push_back(i % 2 == 0 ? 0 : 200);
  for (const std::uint8_t pixel : resize_image(stripes, 8, 8).pixels)
    CHECK(std::abs(pixel - 100) <= 7);  // without anti-aliasing it would be 0 or 200
}

TEST_CASE("grey is the luma of the colours") {
  const Image grey = to_grey({3, 1, 4, {255, 0, 0, 9, 0, 255, 0, 9, 0, 0, 255, 9}});
  CHECK(grey.channels == 1);
  CHECK(grey.pixels == std::vector<std::uint8_t>{76, 150, 29, 9});
  CHECK(to_grey(grey).pixels == grey.pixels);
}

TEST_CASE("the square in the middle is cut out of tall and of wide images") {
  Image wide{1, 2, 5, std::vector<std::uint8_t>(10)};
  std::iota(wide.pixels.begin(), wide.pixels.end(), std::uint8_t{0});
  CHECK(centre_square(wide).pixels == std::vector<std::uint8_t>{1, 2, 6, 7});
  std::swap(wide.height, wide.width);
  CHECK(centre_square(wide).pixels == std::vector<std::uint8_t>{2, 3, 4, 5});
}

TEST_CASE("images are prepared as the configuration says") {
  const Image image = coloured_image(3, 6, 12);
  ImagesConfig config;
  CHECK(prepare_image(image, config).pixels == image.pixels);
  config.size = 6;
  CHECK(prepare_image(image, config).pixels == resize_image(image, 6, 6).pixels);
  config.fit = ImageFit::crop;
  CHECK(prepare_image(image, config).pixels == centre_square(image).pixels);
  config.colours = ImageColours::grey;
  CHECK(prepare_image(image, config).pixels == to_grey(centre_square(image)).pixels);
}
