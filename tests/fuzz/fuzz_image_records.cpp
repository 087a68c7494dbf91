// Fuzz target: files of image records, plain and packed. See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/image_records.h"

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const int label_bytes : {1, 2}) {
    asap::io::ImageRecordShape shape;
    shape.label_bytes = label_bytes;
    shape.label_index = label_bytes - 1;
    shape.height = shape.width = 2;
    asap::io::ImageRecords records;
    try {
      asap::io::append_image_records(bytes, shape, "input", records);
      asap::base::check(!records.labels.empty() &&
                            records.pixels.size() == records.labels.size() * shape.pixel_bytes(),
                        "an accepted file has images, and all of their pixels");
      for (const std::int32_t label : records.labels)
        asap::base::check(label >= 0 && label < shape.classes, "accepted labels are classes");
    } catch (const asap::base::DataError&) {
      asap::base::check(records.labels.empty() && records.pixels.empty(),
                        "a refused file leaves no records");
    }
  }
  return 0;
}
