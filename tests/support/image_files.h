#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <png.h>
#include <turbojpeg.h>
#include <zlib.h>

#include "base/error.h"
#include "base/random.h"
#include "io/image.h"

namespace asap::test {

/// Smooth colours with a little noise: pixel values differ everywhere.
inline io::Image coloured_image(int channels, int height, int width, std::uint32_t seed = 0) {
  io::Image image{channels, height, width, {}};
  base::RandomStream random(7, base::RandomPurpose::test, seed);
  for (int channel = 0; channel < channels; ++channel)
    for (int row = 0; row < height; ++row)
      for (int column = 0; column < width; ++column)
        image.pixels.push_back(static_cast<std::uint8_t>(40 * channel + 60 * row / height +
                                                         90 * column / width +
                                                         static_cast<int>(random.below(20))));
  return image;
}

/// [channels, height, width] -> [height, width, channels].
inline std::string interleaved(const io::Image& image) {
  std::string bytes;
  for (int row = 0; row < image.height; ++row)
    for (int column = 0; column < image.width; ++column)
      for (int channel = 0; channel < image.channels; ++channel)
        bytes += static_cast<char>(image.at(channel, row, column));
  return bytes;
}

/// A PNG file of bytes laid out as `format` says, one of PNG_FORMAT_*.
inline std::string png_of_bytes(const void* bytes, int height, int width, png_uint_32 format) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(width);
  png.height = static_cast<png_uint_32>(height);
  png.format = format;
  png_alloc_size_t size = 0;
  base::check(png_image_write_to_memory(&png, nullptr, &size, 0, bytes, 0, nullptr) != 0,
              png.message);
  std::string file(size, '\0');
  base::check(png_image_write_to_memory(&png, file.data(), &size, 0, bytes, 0, nullptr) != 0,
              png.message);
  file.resize(size);
  return file;
}

/// A PNG file of one (grey) or three channels.
inline std::string png_file(const io::Image& image) {
  return png_of_bytes(interleaved(image).data(), image.height, image.width,
                      image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB);
}

/// A JPEG file of one, three or four (CMYK) channels; `flags` as for tjCompress2.
inline std::string jpeg_file(const io::Image& image, int quality = 95, int flags = 0) {
  const tjhandle handle = tjInitCompress();
  const std::string bytes = interleaved(image);
  unsigned char* file = nullptr;
  unsigned long size = 0;
  const int format = image.channels == 1 ? TJPF_GRAY : image.channels == 3 ? TJPF_RGB : TJPF_CMYK;
  base::check(tjCompress2(handle, reinterpret_cast<const unsigned char*>(bytes.data()), image.width,
                          0, image.height, format, &file, &size,
                          image.channels == 1 ? TJSAMP_GRAY : TJSAMP_444, quality, flags) == 0,
              "jpeg_file: cannot compress");
  const std::string result(reinterpret_cast<const char*>(file), size);
  tjFree(file);
  tjDestroy(handle);
  return result;
}

/// The lowest `bytes` bytes of a number, the highest first unless `little_endian`.
inline std::string number_bytes(std::uint32_t value, int bytes, bool little_endian = false) {
  std::string text;
  for (int i = 0; i < bytes; ++i)
    text += static_cast<char>(value >> 8 * (little_endian ? i : bytes - 1 - i) & 0xff);
  return text;
}

/// One chunk of a PNG file.
inline std::string png_chunk(const std::string& name, const std::string& data) {
  const std::string body = name + data;
  const uLong sum =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return number_bytes(static_cast<std::uint32_t>(data.size()), 4) + body +
         number_bytes(static_cast<std::uint32_t>(sum), 4);
}

/// A PNG file without gamma and colour space, of one row of pixels, as plain encoders write it.
/// `row` holds the bytes of the pixels; `type` is one of PNG_COLOR_TYPE_*; `chunks` come before the
/// pixels.
inline std::string plain_png_row(int width, int bits, int type, const std::string& row,
                                 const std::string& chunks = "") {
  const std::string filtered = std::string(1, '\0') + row;
  uLongf size = compressBound(static_cast<uLong>(filtered.size()));
  std::string data(size, '\0');
  base::check(compress(reinterpret_cast<Bytef*>(data.data()), &size,
                       reinterpret_cast<const Bytef*>(filtered.data()),
                       static_cast<uLong>(filtered.size())) == Z_OK,
              "plain_png_row: cannot compress");
  data.resize(size);
  const std::string header = number_bytes(static_cast<std::uint32_t>(width), 4) +
                             number_bytes(1, 4) + static_cast<char>(bits) +
                             static_cast<char>(type) + std::string(3, '\0');
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + chunks + png_chunk("IDAT", data) +
         png_chunk("IEND", "");
}

/// EXIF data of two tags: the width of the picture and its orientation.
inline std::string exif_data(std::uint32_t orientation, bool little_endian) {
  const auto number = [&](std::uint32_t value, int bytes) {
    return number_bytes(value, bytes, little_endian);
  };
  const auto entry = [&](std::uint32_t tag, std::uint32_t value) {
    return number(tag, 2) + number(3, 2) + number(1, 4) + number(value, 2) + number(0, 2);
  };
  return (little_endian ? "II" : "MM") + number(42, 2) + number(8, 4) + number(2, 2) +
         entry(0x100, 3) + entry(0x112, orientation) + number(0, 4);
}

/// The JPEG file with EXIF data after its first two bytes, where cameras put it.
inline std::string with_exif(const std::string& jpeg, const std::string& exif) {
  return jpeg.substr(0, 2) + "\xff\xe1" +
         number_bytes(static_cast<std::uint32_t>(exif.size() + 8), 2) + std::string("Exif\0\0", 6) +
         exif + jpeg.substr(2);
}

}  // namespace asap::test
