#include "io/image_file.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <png.h>
#include <turbojpeg.h>

#include "base/error.h"
#include "io/image_orientation.h"

namespace asap::io {
namespace {

constexpr std::int64_t kPixelsPerByte = 512;
constexpr std::int64_t kShortFilePixels = std::int64_t{1} << 20;
constexpr std::string_view kPngMagic("\x89PNG\r\n\x1a\n", 8);
constexpr std::string_view kJpegMagic("\xff\xd8\xff", 3);
constexpr std::string_view kJpegEnd("\xff\xd9", 2);

void check_sizes(std::int64_t width, std::int64_t height, int max_side, std::size_t bytes,
                 const std::string& source) {
  const std::string size = std::to_string(width) + "x" + std::to_string(height) + " pixels";
  if (width < 1 || height < 1) throw base::DataError(source + ": an image of " + size);
  if (width > max_side || height > max_side)
    throw base::DataError(
        source + ": " + size + ", more than " + std::to_string(max_side) + " on a side",
        "raise data.images.max_side, or make the image smaller");
  if (width * height > kMaxImagePixels)
    throw base::DataError(source + ": " + size + ", more than the " +
                              std::to_string(kMaxImagePixels) + " that are decoded",
                          "make the image smaller");
  if (width * height > plausible_pixels(bytes))
    throw base::DataError(source + ": " + size + " in " + std::to_string(bytes) +
                              " bytes, more than ordinary images have",
                          "the file may be an attack on memory: remove it from the folder");
}

/// [height, width, channels] -> [3, height, width]. A fourth channel is opacity, 0 to 255; what it
/// lets through is white. The bytes are mixed as they stand, in sRGB, as browsers do.
Image planar(const std::vector<std::uint8_t>& interleaved, int height, int width, int channels) {
  const std::size_t size = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  const auto step = static_cast<std::size_t>(channels);
  Image image{3, height, width, std::vector<std::uint8_t>(3 * size)};
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint8_t* pixel = interleaved.data() + step * i;
    const int opacity = channels == 4 ? pixel[3] : 255;
    for (std::size_t channel = 0; channel < 3; ++channel)
      image.pixels[channel * size + i] =
          static_cast<std::uint8_t>((pixel[channel] * opacity + 255 * (255 - opacity) + 127) / 255);
  }
  return image;
}

std::vector<std::uint8_t> interleaved_buffer(std::int64_t height, std::int64_t width,
                                             int channels) {
  return std::vector<std::uint8_t>(static_cast<std::size_t>(channels * height * width));
}

/// The simplified interface of libpng, which reports errors without longjmp.
class PngReader {
 public:
  PngReader(std::string_view bytes, const std::string& source) : source_(source) {
    image_.version = PNG_IMAGE_VERSION;
    png_image_begin_read_from_memory(&image_, bytes.data(), bytes.size());
    check_success();
  }
  ~PngReader() { png_image_free(&image_); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  std::int64_t width() const { return image_.width; }
  std::int64_t height() const { return image_.height; }

  Image read() {
    // Without this flag, libpng takes 16-bit files that state no gamma for linear light.
    image_.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    const int channels = (image_.format & PNG_FORMAT_FLAG_ALPHA) != 0 ? 4 : 3;
    image_.format = channels == 4 ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
    const int height = static_cast<int>(image_.height), width = static_cast<int>(image_.width);
    std::vector<std::uint8_t> pixels = interleaved_buffer(height, width, channels);
    png_image_finish_read(&image_, nullptr, pixels.data(), 0, nullptr);
    check_success();
    return planar(pixels, height, width, channels);
  }

 private:
  void check_success() const {
    if (PNG_IMAGE_FAILED(image_))
      throw base::DataError(source_ + ": damaged or truncated PNG file (" + image_.message + ")");
  }

  png_image image_{};
  const std::string& source_;
};

/// TurboJPEG on one file.
class JpegReader {
 public:
  JpegReader(std::string_view bytes, const std::string& source)
      : handle_(tjInitDecompress(), &tjDestroy), bytes_(bytes), source_(source) {
    base::check(handle_ != nullptr, "TurboJPEG cannot be initialised");
    int subsampling = 0, colours = 0;
    if (tjDecompressHeader3(handle_.get(), data(), bytes.size(), &width_, &height_, &subsampling,
                            &colours) != 0)
      fail(message());
    if (width_ < 1 || height_ < 1) fail("no image in it");
    if (colours == TJCS_CMYK || colours == TJCS_YCCK)
      throw base::DataError(source_ + ": a JPEG file in CMYK colours", "convert it to RGB");
  }

  std::int64_t width() const { return width_; }
  std::int64_t height() const { return height_; }

  Image read() const {
    std::vector<std::uint8_t> pixels = interleaved_buffer(height_, width_, 3);
    // Some cameras write extra bytes before the end marker, which is harmless.
    if (!decode(TJFLAG_STOPONWARNING, pixels) &&
        !(has_extra_bytes() && bytes_.ends_with(kJpegEnd) && (decode(0, pixels) || warned())))
      fail(message());
    return planar(pixels, height_, width_, 3);
  }

 private:
  const unsigned char* data() const {
    return reinterpret_cast<const unsigned char*>(bytes_.data());
  }

  bool decode(int flags, std::vector<std::uint8_t>& pixels) const {
    return tjDecompress2(handle_.get(), data(), bytes_.size(), pixels.data(), width_, 0, height_,
                         TJPF_RGB, flags | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT) == 0;
  }

  std::string message() const { return tjGetErrorStr2(handle_.get()); }
  bool warned() const { return tjGetErrorCode(handle_.get()) == TJERR_WARNING; }
  bool has_extra_bytes() const {
    return warned() && message().find("extraneous bytes") != std::string::npos;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw base::DataError(source_ + ": damaged or truncated JPEG file (" + what + ")");
  }

  std::unique_ptr<void, int (*)(tjhandle)> handle_;
  std::string_view bytes_;
  const std::string& source_;
  int width_ = 0, height_ = 0;
};

template <class Reader>
Image decode(std::string_view bytes, int max_side, const std::string& source) {
  Reader reader(bytes, source);
  check_sizes(reader.width(), reader.height(), max_side, bytes.size(), source);
  return reader.read();
}

}  // namespace

ImageFormat image_format(std::string_view bytes) {
  if (bytes.starts_with(kPngMagic)) return ImageFormat::png;
  return bytes.starts_with(kJpegMagic) ? ImageFormat::jpeg : ImageFormat::other;
}

std::int64_t plausible_pixels(std::size_t bytes) {
  return std::max(kShortFilePixels, static_cast<std::int64_t>(bytes) * kPixelsPerByte);
}

Image decode_image(std::string_view bytes, int max_side, const std::string& source) {
  switch (image_format(bytes)) {
    case ImageFormat::png:
      return upright_image(decode<PngReader>(bytes, max_side, source), png_orientation(bytes));
    case ImageFormat::jpeg:
      return upright_image(decode<JpegReader>(bytes, max_side, source), jpeg_orientation(bytes));
    case ImageFormat::other:
      break;
  }
  throw base::DataError(source + ": neither a PNG nor a JPEG file (wrong first bytes)",
                        bytes.empty() ? "the file is empty" : "is its name right?");
}

}  // namespace asap::io
