#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/image.h"

namespace asap::io {

/// Most pixels that are decoded: 3 bytes each are 48 MiB. A photograph of 4096 x 4096 just fits.
inline constexpr std::int64_t kMaxImagePixels = std::int64_t{1} << 24;

/// The format of an image file, from its first bytes.
enum class ImageFormat { png, jpeg, other };

ImageFormat image_format(std::string_view bytes);

/// Decodes a PNG or JPEG file, told apart by content, to three channels of 8 bits: red, green and
/// blue in sRGB. A PNG file of 16 bits is read in sRGB, too, unless it states its gamma.
/// Transparent parts appear on white, half-transparent ones are mixed with it in sRGB. Pictures are
/// turned and mirrored as their EXIF orientation says (see image_orientation.h).
///
/// The header is checked before memory is allocated. DataError names `source`: not a PNG or JPEG
/// file, damaged or truncated, a side longer than max_side, more than kMaxImagePixels, more pixels
/// than a file of its size plausibly holds (see plausible_pixels), colours in CMYK.
Image decode_image(std::string_view bytes, int max_side, const std::string& source);

/// Most pixels that a file of `bytes` bytes may claim; a file that claims more is taken for an
/// attack on memory. 512 per byte, or 2^20 for short files. A blank PNG file in 24-bit colours has
/// about 350 pixels per byte, photographs at most 40.
std::int64_t plausible_pixels(std::size_t bytes);

}  // namespace asap::io
