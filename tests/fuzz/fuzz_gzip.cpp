// Fuzz target: gzip streams. See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/gzip.h"

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const std::string content = asap::io::decompress_gzip(bytes, SIZE_MAX / 2, "input");
    asap::base::check(content.size() <= asap::io::unpacked_limit(size),
                      "more unpacked than is allowed");
    asap::base::check(
        asap::io::decompress_gzip_prefix(bytes, 100, "input") == content.substr(0, 100),
        "the start of a stream must be what the whole starts with");
    asap::base::check(asap::io::decompress_gzip(asap::io::compress_gzip(content), content.size(),
                                                "again") == content,
                      "what was unpacked must survive being packed");
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
