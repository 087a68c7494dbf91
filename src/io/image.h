#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace asap::io {

/// One image, a byte per pixel and channel.
struct Image {
  int channels = 0;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;  ///< [channels, height, width]

  std::uint8_t at(int channel, int row, int column) const {
    return pixels[(static_cast<std::size_t>(channel) * static_cast<std::size_t>(height) +
                   static_cast<std::size_t>(row)) *
                      static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(column)];
  }
};

}  // namespace asap::io
