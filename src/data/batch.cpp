#include "data/batch.h"

#include <array>

#include "base/error.h"

namespace asap {

void fill_batch(const Dataset& dataset, std::span<const std::int64_t> indices,
                MatrixView<float> images, std::span<std::int32_t> labels) {
  const auto count = static_cast<std::int64_t>(indices.size());
  const std::int64_t image_size = dataset.image_size();
  check(images.rows == count && images.cols == image_size, "fill_batch: images have another shape");
  check(labels.size() == indices.size(), "fill_batch: labels have another length");
  std::array<float, 256> normalised;
  for (int pixel = 0; pixel < 256; ++pixel)
    normalised[static_cast<std::size_t>(pixel)] =
        static_cast<float>((pixel / 255.0 - dataset.pixel_mean) / dataset.pixel_deviation);
  for (std::int64_t row = 0; row < count; ++row) {
    const std::int64_t example = indices[static_cast<std::size_t>(row)];
    check(example >= 0 && example < dataset.size(), "fill_batch: index outside the data set");
    labels[static_cast<std::size_t>(row)] = dataset.labels[static_cast<std::size_t>(example)];
    const std::uint8_t* pixels = dataset.pixels.data() + example * image_size;
    float* out = images.row(row).data();
    for (std::int64_t i = 0; i < image_size; ++i) out[i] = normalised[pixels[i]];
  }
}

}  // namespace asap
