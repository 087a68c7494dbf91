#include "data/images/image_ops.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace asap::data {
namespace {

/// Weights of the pixels that one pixel of the result is made of.
struct Taps {
  int first = 0;
  std::vector<double> weights;  ///< sum to 1
};

/// The triangle filter for each pixel of the result along one axis.
std::vector<Taps> triangle_taps(int size_in, int size_out) {
  const double ratio = static_cast<double>(size_in) / size_out;
  const double radius = std::max(1.0, ratio);
  std::vector<Taps> taps(static_cast<std::size_t>(size_out));
  for (int i = 0; i < size_out; ++i) {
    Taps& out = taps[static_cast<std::size_t>(i)];
    const double centre = (i + 0.5) * ratio - 0.5;
    out.first = std::max(0, static_cast<int>(std::ceil(centre - radius)));
    const int last = std::min(size_in - 1, static_cast<int>(std::floor(centre + radius)));
    double sum = 0;
    for (int j = out.first; j <= last; ++j) {
      out.weights.push_back(std::max(0.0, 1 - std::abs(j - centre) / radius));
      sum += out.weights.back();
    }
    for (double& weight : out.weights) weight /= sum;
  }
  return taps;
}

/// Resizes every row. in: [rows, width] -> [rows, taps.size()].
std::vector<double> resize_rows(const std::vector<std::uint8_t>& in, std::size_t width,
                                const std::vector<Taps>& taps) {
  const std::size_t rows = in.size() / width;
  std::vector<double> out(rows * taps.size());
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const std::uint8_t* from = in.data() + row * width + static_cast<std::size_t>(taps[i].first);
      double sum = 0;
      for (std::size_t k = 0; k < taps[i].weights.size(); ++k) sum += taps[i].weights[k] * from[k];
      out[row * taps.size() + i] = sum;
    }
  return out;
}

/// Resizes every column of each channel. in: [channels, taps' input, width].
std::vector<std::uint8_t> resize_columns(const std::vector<double>& in, const io::Image& shape,
                                         std::size_t width, const std::vector<Taps>& taps) {
  std::vector<std::uint8_t> out;
  out.reserve(static_cast<std::size_t>(shape.channels) * taps.size() * width);
  std::vector<double> sums(width);
  for (int channel = 0; channel < shape.channels; ++channel)
    for (const Taps& tap : taps) {
      std::ranges::fill(sums, 0.0);
      const double* from =
          in.data() + (static_cast<std::size_t>(channel) * static_cast<std::size_t>(shape.height) +
                       static_cast<std::size_t>(tap.first)) *
                          width;
      for (const double weight : tap.weights)
        for (std::size_t column = 0; column < width; ++column) sums[column] += weight * *from++;
      for (const double sum : sums)
        out.push_back(static_cast<std::uint8_t>(std::clamp(sum + 0.5, 0.0, 255.0)));
    }
  return out;
}

}  // namespace

io::Image to_grey(io::Image image) {
  if (image.channels == 1) return image;
  base::check(image.channels == 3, "to_grey: three channels are expected");
  const std::size_t size = image.pixels.size() / 3;
  for (std::size_t i = 0; i < size; ++i) {
    const int luma =
        299 * image.pixels[i] + 587 * image.pixels[size + i] + 114 * image.pixels[2 * size + i];
    image.pixels[i] = static_cast<std::uint8_t>((luma + 500) / 1000);
  }
  image.pixels.resize(size);
  image.channels = 1;
  return image;
}

io::Image centre_square(io::Image image) {
  if (image.height == image.width) return image;
  const int side = std::min(image.height, image.width);
  const int top = (image.height - side) / 2, left = (image.width - side) / 2;
  io::Image square{image.channels, side, side, {}};
  square.pixels.reserve(static_cast<std::size_t>(image.channels) * static_cast<std::size_t>(side) *
                        static_cast<std::size_t>(side));
  for (int channel = 0; channel < image.channels; ++channel)
    for (int row = 0; row < side; ++row)
      for (int column = 0; column < side; ++column)
        square.pixels.push_back(image.at(channel, top + row, left + column));
  return square;
}

io::Image resize_image(const io::Image& image, int height, int width) {
  base::check(height > 0 && width > 0 && !image.pixels.empty(),
              "resize_image: an image without pixels");
  const std::vector<double> wide = resize_rows(image.pixels, static_cast<std::size_t>(image.width),
                                               triangle_taps(image.width, width));
  return {image.channels, height, width,
          resize_columns(wide, image, static_cast<std::size_t>(width),
                         triangle_taps(image.height, height))};
}

io::Image prepare_image(io::Image image, const config::ImagesConfig& config) {
  if (config.colours == config::ImageColours::grey) image = to_grey(std::move(image));
  if (config.size == 0) return image;
  if (config.fit == config::ImageFit::crop) image = centre_square(std::move(image));
  if (image.height == config.size && image.width == config.size) return image;
  return resize_image(image, config.size, config.size);
}

}  // namespace asap::data
