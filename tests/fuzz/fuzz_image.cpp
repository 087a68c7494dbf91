// Fuzz target: PNG and JPEG files. See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/image_file.h"

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMaxSide = 4096;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const asap::io::Image image = asap::io::decode_image(bytes, kMaxSide, "input");
    asap::base::check(image.channels == 3 && image.height > 0 && image.height <= kMaxSide &&
                          image.width > 0 && image.width <= kMaxSide,
                      "an accepted image has colours and a size within the limits");
    asap::base::check(std::ssize(image.pixels) == std::int64_t{3} * image.height * image.width,
                      "an accepted image has all of its pixels");
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
