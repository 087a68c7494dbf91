#include "io/image_records.h"

#include "base/counted.h"
#include "base/error.h"
#include "io/gzip.h"

namespace asap::io {
namespace {

std::string describe(const ImageRecordShape& shape) {
  return std::to_string(shape.bytes()) + " bytes (" +
         base::counted(shape.label_bytes, "label and ", "labels and ") +
         std::to_string(shape.channels) + "x" + std::to_string(shape.height) + "x" +
         std::to_string(shape.width) + " pixels)";
}

void check_size(std::size_t size, const ImageRecordShape& shape, const std::string& source) {
  if (size == 0) throw base::DataError(source + ": holds no images");
  if (size % shape.bytes() == 0) return;
  throw base::DataError(source + ": " + std::to_string(size) +
                            " bytes are not a whole number of records of " + describe(shape),
                        size < shape.bytes()
                            ? "is it another layout, or truncated?"
                            : "truncated after " + base::counted(size / shape.bytes(), "record") +
                                  ", or of another layout (data.images.layout)");
}

/// The labels of all records.
std::vector<std::int32_t> read_labels(std::string_view content, const ImageRecordShape& shape,
                                      const std::string& source) {
  std::vector<std::int32_t> labels;
  labels.reserve(content.size() / shape.bytes());
  for (std::size_t at = 0; at < content.size(); at += shape.bytes()) {
    const auto label =
        static_cast<std::uint8_t>(content[at + static_cast<std::size_t>(shape.label_index)]);
    if (label >= shape.classes)
      throw base::DataError(
          source + ": label " + std::to_string(label) + " of image " +
              std::to_string(labels.size()) + " is outside 0 to " +
              std::to_string(shape.classes - 1),
          "set data.classes to the number of classes in the file, or is it of another "
          "layout (data.images.layout)?");
    labels.push_back(label);
  }
  return labels;
}

void append_content(std::string_view content, const ImageRecordShape& shape,
                    const std::string& source, ImageRecords& records) {
  check_size(content.size(), shape, source);
  const std::vector<std::int32_t> labels = read_labels(content, shape, source);
  records.labels.insert(records.labels.end(), labels.begin(), labels.end());
  records.pixels.reserve(records.pixels.size() + labels.size() * shape.pixel_bytes());
  for (std::size_t at = 0; at < content.size(); at += shape.bytes()) {
    const std::string_view pixels =
        content.substr(at + static_cast<std::size_t>(shape.label_bytes), shape.pixel_bytes());
    records.pixels.insert(records.pixels.end(), pixels.begin(), pixels.end());
  }
}

}  // namespace

void append_image_records(std::string_view bytes, const ImageRecordShape& shape,
                          const std::string& source, ImageRecords& records) {
  if (is_gzip(bytes))
    append_content(decompress_gzip(bytes, unpacked_limit(bytes.size()), source), shape, source,
                   records);
  else
    append_content(bytes, shape, source, records);
}

}  // namespace asap::io
