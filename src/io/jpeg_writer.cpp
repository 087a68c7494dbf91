#include "io/jpeg_writer.h"

#include <memory>

#include <turbojpeg.h>

#include "base/error.h"

namespace asap::io {
namespace {

constexpr int kQuality = 85;

}  // namespace

std::vector<std::uint8_t> encode_grey_jpeg(std::span<const std::uint8_t> pixels, int width,
                                           int height) {
  base::check(
      width > 0 && height > 0 && std::ssize(pixels) == std::int64_t{width} * std::int64_t{height},
      "encode_grey_jpeg: sizes do not fit");
  const std::unique_ptr<void, int (*)(tjhandle)> encoder(tjInitCompress(), &tjDestroy);
  base::check(encoder != nullptr, "encode_grey_jpeg: libjpeg-turbo gives no encoder");
  unsigned char* buffer = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): the type of the library
  const int failed = tjCompress2(encoder.get(), pixels.data(), width, 0, height, TJPF_GRAY, &buffer,
                                 &size, TJSAMP_GRAY, kQuality, 0);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(buffer, &tjFree);
  base::check(failed == 0, "encode_grey_jpeg: libjpeg-turbo fails");
  return {buffer, buffer + size};
}

}  // namespace asap::io
