#pragma once

#include <filesystem>

#include "base/files.h"
#include "support/image_files.h"

namespace asap::test {

/// Image `index` of "train" or "test", red if the index is even, else blue.
inline io::Image red_or_blue(const std::string& part, std::uint32_t index) {
  io::Image image = coloured_image(3, 8, 8, index + (part == "train" ? 0 : 100));
  const std::size_t size = image.pixels.size() / 3;
  for (std::size_t k = 0; k < size; ++k) image.pixels[(index % 2 == 0 ? 2 : 0) * size + k] /= 2;
  return image;
}

/// 48 images to train on and some to test: FOLDER/PART/red/0.png, FOLDER/PART/blue/1.png.
inline void write_red_and_blue(const std::filesystem::path& folder, std::uint32_t test_images) {
  for (const std::string part : {"train", "test"})
    for (std::uint32_t i = 0; i < (part == "train" ? 48u : test_images); ++i) {
      const std::filesystem::path target = folder / part / (i % 2 == 0 ? "red" : "blue");
      std::filesystem::create_directories(target);
      base::write_file_atomically(target / (std::to_string(i) + ".png"),
                                  png_file(red_or_blue(part, i)));
    }
}

}  // namespace asap::test
