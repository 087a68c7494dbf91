#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace asap::io {

/// A grey image as a JPEG file, for pictures that people look at. pixels: [height, width]. The
/// bytes depend on the version of libjpeg-turbo. InternalError for sizes that do not fit.
std::vector<std::uint8_t> encode_grey_jpeg(std::span<const std::uint8_t> pixels, int width,
                                           int height);

}  // namespace asap::io
