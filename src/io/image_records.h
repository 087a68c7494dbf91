#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace asap::io {

/// Shape of the records of a file: some label bytes, then the pixels as bytes, [channels, height,
/// width].
struct ImageRecordShape {
  int label_bytes = 1;
  int label_index = 0;  ///< index of the label byte to use
  int classes = 10;     ///< labels are below it
  int channels = 3;
  int height = 32;
  int width = 32;

  std::size_t pixel_bytes() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
  std::size_t bytes() const { return static_cast<std::size_t>(label_bytes) + pixel_bytes(); }
};

struct ImageRecords {
  std::vector<std::int32_t> labels;  ///< [records]
  std::vector<std::uint8_t> pixels;  ///< [records, channels, height, width]
};

/// Appends the records of one file, plain or packed with gzip, to `records`. This is the layout of
/// the binary versions of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html).
/// DataError names `source`: no records, a size that is not a whole number of records, or a label
/// that is not below shape.classes; `records` then does not change.
void append_image_records(std::string_view bytes, const ImageRecordShape& shape,
                          const std::string& source, ImageRecords& records);

}  // namespace asap::io
