#include "io/jpeg_writer.h"

#include <cmath>
#include <string_view>

#include <doctest/doctest.h>

#include "base/error.h"
#include "io/image_file.h"

using namespace asap;

TEST_CASE("a grey image that is written as JPEG reads back nearly as it was") {
  constexpr int kWidth = 37, kHeight = 21;
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      pixels.push_back(static_cast<std::uint8_t>(40 + 4 * x + 2 * y));
  const std::vector<std::uint8_t> file = io::encode_grey_jpeg(pixels, kWidth, kHeight);
  const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
  CHECK(io::image_format(bytes) == io::ImageFormat::jpeg);
  const io::Image image = io::decode_image(bytes, 100, "written");
  REQUIRE(image.width == kWidth);
  REQUIRE(image.height == kHeight);
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) CHECK(std::abs(image.at(0, y, x) - (40 + 4 * x + 2 * y)) <= 4);
}

TEST_CASE("sizes that do not fit the pixels are refused") {
  const std::vector<std::uint8_t> pixels(12);
  CHECK_THROWS_AS(io::encode_grey_jpeg(pixels, 5, 3), base::InternalError);
  CHECK_THROWS_AS(io::encode_grey_jpeg({}, 0, 0), base::InternalError);
}
