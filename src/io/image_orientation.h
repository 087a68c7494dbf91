#pragma once

#include <string_view>

#include "io/image.h"

namespace asap::io {

/// How a picture is stored, as the EXIF tag "Orientation" numbers it: 1 upright, 2 mirrored, 3
/// upside down, 4 mirrored upside down, 5 transposed, 6 to be turned clockwise, 7 transposed about
/// the other diagonal, 8 to be turned anticlockwise.
inline constexpr int kUpright = 1;

/// The orientation in the first EXIF segment of a JPEG file or the eXIf chunk of a PNG file.
/// kUpright without one, when it is damaged and when its number is not one of 1 to 8.
int jpeg_orientation(std::string_view bytes);
int png_orientation(std::string_view bytes);

/// The picture as it is to be seen. 5 to 8 exchange height and width.
Image upright_image(Image image, int orientation);

}  // namespace asap::io
