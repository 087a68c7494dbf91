#include "io/image_orientation.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/error.h"

namespace asap::io {
namespace {

constexpr std::string_view kExifName("Exif\0\0", 6);
constexpr std::uint32_t kOrientationTag = 0x0112, kShort = 3;
constexpr std::size_t kEntryBytes = 12;

/// Numbers in a file that may be damaged: bytes beyond its end are 0.
class Bytes {
 public:
  Bytes(std::string_view bytes, bool little_endian) : bytes_(bytes), little_(little_endian) {}

  std::uint32_t number(std::size_t at, std::size_t size) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value = value << 8 | byte(at + (little_ ? size - 1 - i : i));
    return value;
  }

 private:
  std::uint32_t byte(std::size_t at) const {
    return at < bytes_.size() ? static_cast<std::uint8_t>(bytes_[at]) : 0;
  }

  std::string_view bytes_;
  bool little_;
};

/// The orientation in EXIF data: a TIFF header, which leads to a directory of tags.
int exif_orientation(std::string_view exif) {
  const bool little = exif.starts_with("II");
  if (!little && !exif.starts_with("MM")) return kUpright;
  const Bytes bytes(exif, little);
  if (bytes.number(2, 2) != 42) return kUpright;
  const std::size_t directory = bytes.number(4, 4), entries = bytes.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (entry + kEntryBytes > exif.size()) break;
    if (bytes.number(entry, 2) != kOrientationTag) continue;
    const std::uint32_t value = bytes.number(entry + 8, 2);
    const bool valid = bytes.number(entry + 2, 2) == kShort && value >= 1 && value <= 8;
    return valid ? static_cast<int>(value) : kUpright;
  }
  return kUpright;
}

}  // namespace

int jpeg_orientation(std::string_view file) {
  constexpr std::uint32_t kExif = 0xe1, kScan = 0xda, kEnd = 0xd9;
  const Bytes bytes(file, false);
  for (std::size_t at = 2; at + 4 <= file.size();) {
    if (bytes.number(at, 1) != 0xff) break;
    const std::uint32_t marker = bytes.number(at + 1, 1);
    if (marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    const std::size_t length = bytes.number(at + 2, 2);
    if (marker == kScan || marker == kEnd || length < 2) break;
    const std::string_view segment = file.substr(at + 4, length - 2);
    if (marker == kExif && segment.starts_with(kExifName))
      return exif_orientation(segment.substr(kExifName.size()));
    at += 2 + length;
  }
  return kUpright;
}

int png_orientation(std::string_view file) {
  constexpr std::size_t kAroundData = 12;  // length, name and checksum of a chunk
  const Bytes bytes(file, false);
  for (std::size_t at = 8; at + kAroundData <= file.size();) {
    const std::size_t length = bytes.number(at, 4);
    if (file.substr(at + 4, 4) == "eXIf") return exif_orientation(file.substr(at + 8, length));
    at += kAroundData + length;
  }
  return kUpright;
}

Image upright_image(Image image, int orientation) {
  base::check(orientation >= 1 && orientation <= 8, "upright_image: the orientation is 1 to 8");
  if (orientation == kUpright) return image;
  const bool transposed = orientation >= 5;
  const bool from_below =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Image upright{image.channels, image.height, image.width, {}};
  if (transposed) std::swap(upright.height, upright.width);
  upright.pixels.reserve(image.pixels.size());
  for (int channel = 0; channel < upright.channels; ++channel)
    for (int y = 0; y < upright.height; ++y)
      for (int x = 0; x < upright.width; ++x) {
        const int row = transposed ? x : y, column = transposed ? y : x;
        upright.pixels.push_back(image.at(channel, from_below ? image.height - 1 - row : row,
                                          from_right ? image.width - 1 - column : column));
      }
  return upright;
}

}  // namespace asap::io
