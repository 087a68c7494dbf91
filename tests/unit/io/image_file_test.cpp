#include "io/image_file.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "io/image_orientation.h"
#include "support/expect_error.h"
#include "support/image_files.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

namespace {

void expect_refused(const std::string& bytes, std::initializer_list<const char*> parts) {
  expect_error<DataError>([&] { decode_image(bytes, 4096, "a/b.png"); }, parts);
}

void check_equal(const Image& image, const Image& expected) {
  CHECK(image.channels == expected.channels);
  CHECK(image.height == expected.height);
  CHECK(image.width == expected.width);
  CHECK(image.pixels == expected.pixels);
}

/// Overwrites a big-endian number in the header of a PNG file; its checksum is then wrong too.
std::string with_size(std::string png, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i)
    png[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
  return png;
}

}  // namespace

TEST_CASE("a PNG file gives back its pixels, grey ones in three channels") {
  const Image image = coloured_image(3, 5, 7);
  check_equal(decode_image(png_file(image), 4096, "a.png"), image);

  const Image grey = coloured_image(1, 4, 3);
  const Image back = decode_image(png_file(grey), 4096, "a.png");
  REQUIRE(back.channels == 3);
  for (int channel = 0; channel < 3; ++channel)
    for (int row = 0; row < 4; ++row)
      for (int column = 0; column < 3; ++column)
        CHECK(back.at(channel, row, column) == grey.at(0, row, column));
}

TEST_CASE("transparent parts of a PNG file are white, opaque ones keep their colour") {
  const std::vector<std::uint8_t> pixels{200, 10, 30, 255, 200, 10, 30, 0};
  const Image image = decode_image(png_of_bytes(pixels.data(), 1, 2, PNG_FORMAT_RGBA), 9, "a.png");
  CHECK(image.pixels == std::vector<std::uint8_t>{200, 255, 10, 255, 30, 255});
}

TEST_CASE("a PNG file of 16 bits without gamma is read as the same one of 8 bits") {
  const std::string bytes("\x00\x01\x7f\x80\x81\xff", 6);
  std::string doubled;
  for (const char byte : bytes) doubled += std::string(2, byte);
  for (const int type : {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_RGB}) {
    const int width = type == PNG_COLOR_TYPE_RGB ? 2 : 6;
    const Image image = decode_image(plain_png_row(width, 16, type, doubled), 9, "a.png");
    check_equal(image, decode_image(plain_png_row(width, 8, type, bytes), 9, "a.png"));
    CHECK(image.pixels[type == PNG_COLOR_TYPE_RGB ? 1 : 3] == 128);
  }
}

TEST_CASE("a PNG file of 16 bits that says that it is linear light is taken at its word") {
  const std::string linear = png_chunk("gAMA", number_bytes(100000, 4));
  const std::string grey("\x80\x80", 2);
  const auto read = [&](const std::string& chunks) {
    return decode_image(plain_png_row(1, 16, PNG_COLOR_TYPE_GRAY, grey, chunks), 9, "a").pixels[0];
  };
  CHECK(std::abs(read(linear) - 188) <= 2);  // 255 (1.055 (128 / 255)^(1 / 2.4) - 0.055)
  CHECK(std::abs(read(png_chunk("gAMA", number_bytes(45455, 4))) - 128) <= 1);
  CHECK(read(png_chunk("sRGB", std::string(1, '\0'))) == 128);
}

TEST_CASE("half-transparent parts are mixed with white in sRGB, with 8 and with 16 bits") {
  // Black, red and white, each half opaque; and black, a fifth opaque.
  const std::string bytes("\0\0\0\x80\xff\0\0\x80\xff\xff\xff\x80\0\0\0\x33", 16);
  const std::vector<std::uint8_t> mixed{127, 255, 255, 204, 127, 127, 255, 204, 127, 127, 255, 204};
  std::string doubled;
  for (const char byte : bytes) doubled += std::string(2, byte);
  const auto read = [](int bits, int type, const std::string& row, const std::string& chunks) {
    return decode_image(plain_png_row(4, bits, type, row, chunks), 9, "a.png").pixels;
  };
  CHECK(read(8, PNG_COLOR_TYPE_RGB_ALPHA, bytes, "") == mixed);
  CHECK(read(16, PNG_COLOR_TYPE_RGB_ALPHA, doubled, "") == mixed);
  // The same colours in a palette.
  const std::string palette =
      png_chunk("PLTE", std::string("\0\0\0\xff\0\0\xff\xff\xff\0\0\0", 12)) +
      png_chunk("tRNS", "\x80\x80\x80\x33");
  CHECK(read(8, PNG_COLOR_TYPE_PALETTE, std::string("\0\1\2\3", 4), palette) == mixed);
  // Grey: 51 half opaque, and 51 opaque.
  CHECK(decode_image(plain_png_row(2, 8, PNG_COLOR_TYPE_GRAY_ALPHA, "\x33\x80\x33\xff"), 9, "a")
            .pixels == std::vector<std::uint8_t>{153, 51, 153, 51, 153, 51});
}

TEST_CASE("a grey level that a 16-bit PNG file calls transparent is white") {
  const std::string row("\x10\x10\x40\x40", 4);
  const std::string transparent = png_chunk("tRNS", "\x40\x40");
  CHECK(decode_image(plain_png_row(2, 16, PNG_COLOR_TYPE_GRAY, row, transparent), 9, "a").pixels ==
        std::vector<std::uint8_t>{16, 255, 16, 255, 16, 255});
}

TEST_CASE("JPEG and PNG files are turned as their EXIF orientation says") {
  const std::string jpeg = jpeg_file(coloured_image(3, 10, 6));
  const Image stored = decode_image(jpeg, 16, "a.jpg");
  const std::string row = "abcdef";
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const bool little_endian : {false, true}) {
      const std::string exif = exif_data(static_cast<std::uint32_t>(orientation), little_endian);
      check_equal(decode_image(with_exif(jpeg, exif), 16, "a.jpg"),
                  upright_image(stored, orientation));
      const std::string png = plain_png_row(2, 8, PNG_COLOR_TYPE_RGB, row, png_chunk("eXIf", exif));
      const Image plain = decode_image(plain_png_row(2, 8, PNG_COLOR_TYPE_RGB, row), 9, "a.png");
      check_equal(decode_image(png, 9, "a.png"), upright_image(plain, orientation));
    }
}

TEST_CASE("a JPEG file gives back nearly its pixels, in colour and in grey") {
  const Image image = coloured_image(3, 24, 17);
  const Image back = decode_image(jpeg_file(image), 4096, "a.jpg");
  REQUIRE(back.pixels.size() == image.pixels.size());
  double difference = 0;
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    difference += std::abs(back.pixels[i] - image.pixels[i]);
  // Quality 95 rounds the coefficients of luma to multiples of 1 to 12: less than the noise of 20
  // steps.
  CHECK(difference / static_cast<double>(image.pixels.size()) < 5);
  const Image grey = decode_image(jpeg_file(coloured_image(1, 8, 8)), 4096, "a.jpg");
  CHECK(grey.channels == 3);
  CHECK(grey.at(0, 3, 4) == grey.at(2, 3, 4));
  CHECK(decode_image(jpeg_file(image, 90, TJFLAG_PROGRESSIVE), 4096, "a.jpg").width == 17);
}

TEST_CASE("what is neither PNG nor JPEG is refused by its first bytes") {
  expect_refused("", {"a/b.png", "neither a PNG nor a JPEG", "empty"});
  expect_refused("GIF89a", {"a/b.png", "neither a PNG nor a JPEG"});
  expect_refused("\x89PN", {"neither"});
}

TEST_CASE("truncated and damaged files are refused") {
  const std::string png = png_file(coloured_image(3, 20, 20));
  for (const std::size_t length : {std::size_t{8}, std::size_t{20}, png.size() / 2})
    expect_refused(png.substr(0, length), {"a/b.png", "PNG"});
  std::string damaged = png;
  damaged[png.size() / 2] = static_cast<char>(damaged[png.size() / 2] ^ 0x55);
  expect_refused(damaged, {"a/b.png", "damaged or truncated PNG"});

  const std::string jpeg = jpeg_file(coloured_image(3, 40, 40));
  for (const std::size_t length : {std::size_t{3}, std::size_t{100}, jpeg.size() / 2})
    expect_refused(jpeg.substr(0, length), {"a/b.png", "damaged or truncated JPEG"});
}

TEST_CASE("bytes that cameras leave before the end of a JPEG file do no harm") {
  const std::string jpeg = jpeg_file(coloured_image(3, 40, 40));
  const std::string extra = jpeg.substr(0, jpeg.size() - 2) + std::string(9, '\0') + "\xff\xd9";
  check_equal(decode_image(extra, 4096, "a.jpg"), decode_image(jpeg, 4096, "a.jpg"));
}

TEST_CASE("JPEG files in CMYK are refused with what to do") {
  expect_refused(jpeg_file(coloured_image(4, 8, 8)), {"CMYK", "RGB"});
}

TEST_CASE("images that are too large are refused before they are decoded") {
  expect_error<DataError>([] { decode_image(png_file(coloured_image(3, 5, 65)), 64, "a.png"); },
                          {"a.png", "65x5", "64", "data.images.max_side"});
  expect_error<DataError>([] { decode_image(jpeg_file(coloured_image(3, 65, 5)), 64, "a.jpg"); },
                          {"a.jpg", "5x65", "64"});
  // A blank page: 16 million pixels in some kilobytes.
  const std::vector<std::uint8_t> blank(std::size_t{4096} * 4096);
  const std::string page = png_of_bytes(blank.data(), 4096, 4096, PNG_FORMAT_GRAY);
  CHECK(page.size() < 32768);
  expect_refused(page, {"4096x4096", "more than ordinary images"});
  expect_error<DataError>([&] { decode_image(page, 4095, "a.png"); }, {"4095"});
  CHECK(plausible_pixels(100) == 1 << 20);
  CHECK(plausible_pixels(1'000'000) == 512'000'000);
}

TEST_CASE("sizes that a header only claims are refused") {
  const std::string png = png_file(coloured_image(3, 5, 5));
  for (const std::uint32_t size : {0u, 100000u, 0x7fffffffu, 0xffffffffu})
    for (const std::size_t at : {16u, 20u}) expect_refused(with_size(png, at, size), {"a/b.png"});
}
