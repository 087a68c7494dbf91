#pragma once

#include "config/image_config.h"
#include "io/image.h"

namespace asap::data {

/// Luma of an image with three channels, .299 red + .587 green + .114 blue (ITU-R BT.601); an image
/// with one channel does not change.
io::Image to_grey(io::Image image);

/// The largest square in the middle, rounded towards the top left.
io::Image centre_square(io::Image image);

/// Resizes with a triangle filter, separately along rows and columns:
///   out(i) = sum_j w((j - c) / s) in(j) / sum_j w((j - c) / s),  w(x) = max(0, 1 - |x|),
///   c = (i + 1/2) n_in / n_out - 1/2,  s = max(1, n_in / n_out).
/// Enlarging is bilinear interpolation; for shrinking the filter widens so that every pixel counts
/// (anti-aliasing). height, width: at least 1.
io::Image resize_image(const io::Image& image, int height, int width);

/// Converts an image from a file to the colours, shape and size of the configuration.
io::Image prepare_image(io::Image image, const config::ImagesConfig& config);

}  // namespace asap::data
