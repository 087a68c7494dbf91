#pragma once

#include <string>

#include <png.h>
#include <turbojpeg.h>

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

}  // namespace asap::test
