#include "io/image_orientation.h"

#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/image_files.h"

using namespace asap::io;
using namespace asap::test;

namespace {

/// 0 1 2
/// 3 4 5
Image two_rows() { return {1, 2, 3, {0, 1, 2, 3, 4, 5}}; }

struct Expected {
  int height, width;
  std::vector<std::uint8_t> pixels;
};

}  // namespace

TEST_CASE("the eight orientations") {
  const std::vector<Expected> expected{{2, 3, {0, 1, 2, 3, 4, 5}}, {2, 3, {2, 1, 0, 5, 4, 3}},
                                       {2, 3, {5, 4, 3, 2, 1, 0}}, {2, 3, {3, 4, 5, 0, 1, 2}},
                                       {3, 2, {0, 3, 1, 4, 2, 5}}, {3, 2, {3, 0, 4, 1, 5, 2}},
                                       {3, 2, {5, 2, 4, 1, 3, 0}}, {3, 2, {2, 5, 1, 4, 0, 3}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Expected& wanted = expected[static_cast<std::size_t>(orientation - 1)];
    const Image upright = upright_image(two_rows(), orientation);
    CAPTURE(orientation);
    CHECK(upright.height == wanted.height);
    CHECK(upright.width == wanted.width);
    CHECK(upright.pixels == wanted.pixels);
  }
}

TEST_CASE("every channel is turned alike") {
  Image image{3, 2, 2, std::vector<std::uint8_t>(12)};
  std::iota(image.pixels.begin(), image.pixels.end(), std::uint8_t{0});
  CHECK(upright_image(image, 6).pixels ==
        std::vector<std::uint8_t>{2, 0, 3, 1, 6, 4, 7, 5, 10, 8, 11, 9});
}

TEST_CASE("the orientation is found behind other segments and chunks, in either byte order") {
  for (const bool little_endian : {false, true}) {
    const std::string exif = exif_data(6, little_endian);
    const std::string jpeg = with_exif(jpeg_file(coloured_image(3, 8, 8)), exif);
    CHECK(jpeg_orientation(jpeg) == 6);
    // A comment, fill bytes and an APP1 segment of another kind (XMP) come first.
    const std::string before = std::string("\xff\xfe\0\4hi\xff\xff\xff\xe1\0\6http", 16);
    CHECK(jpeg_orientation(jpeg.substr(0, 2) + before + jpeg.substr(2)) == 6);
    const std::string chunks = png_chunk("tEXt", std::string("a\0b", 3)) + png_chunk("eXIf", exif);
    CHECK(png_orientation(plain_png_row(1, 8, PNG_COLOR_TYPE_GRAY, "a", chunks)) == 6);
  }
}

TEST_CASE("pictures without EXIF data, or with numbers that are none, stand upright") {
  const std::string jpeg = jpeg_file(coloured_image(3, 8, 8));
  CHECK(jpeg_orientation(jpeg) == kUpright);
  CHECK(png_orientation(png_file(coloured_image(3, 8, 8))) == kUpright);
  for (const std::uint32_t number : {0u, 9u, 255u, 0x600u, 0xffffu})
    for (const bool little_endian : {false, true})
      CHECK(jpeg_orientation(with_exif(jpeg, exif_data(number, little_endian))) == kUpright);
  std::string other = exif_data(6, false);
  other[25] = 2;  // the type: text
  CHECK(jpeg_orientation(with_exif(jpeg, other)) == kUpright);
}

TEST_CASE("EXIF data that end anywhere, or point anywhere, are not read beyond their end") {
  const std::string jpeg = jpeg_file(coloured_image(3, 8, 8));
  const std::string exif = exif_data(6, true), whole = with_exif(jpeg, exif);
  for (std::size_t length = 0; length < exif.size() - 4; ++length)
    CHECK(jpeg_orientation(with_exif(jpeg, exif.substr(0, length))) == kUpright);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::string part = whole.substr(0, length);
    const int orientation = jpeg_orientation(part);
    CHECK((orientation == kUpright || orientation == 6));
  }
  for (const std::uint32_t place : {9u, 200u, 0x7fffffffu, 0xffffffffu}) {
    std::string damaged = exif;
    damaged.replace(4, 4, number_bytes(place, 4, true));
    CHECK(jpeg_orientation(with_exif(jpeg, damaged)) == kUpright);
    CHECK(png_orientation(plain_png_row(1, 8, PNG_COLOR_TYPE_GRAY, "a",
                                        png_chunk("eXIf", damaged))) == kUpright);
  }
  std::string many = exif;  // more tags than there are
  many.replace(8, 2, "\xff\xff");
  CHECK(jpeg_orientation(with_exif(jpeg, many)) == 6);
  const std::string png = plain_png_row(1, 8, PNG_COLOR_TYPE_GRAY, "a", png_chunk("eXIf", exif));
  for (std::size_t length = 0; length < png.size(); ++length) {
    const int orientation = png_orientation(png.substr(0, length));
    CHECK((orientation == kUpright || orientation == 6));
  }
}
