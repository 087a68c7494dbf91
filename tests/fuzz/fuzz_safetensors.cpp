// Fuzz target: safetensors files. See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/safetensors.h"

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const asap::io::TensorFile file = asap::io::parse_safetensors(bytes, "input");
    const std::string again = asap::io::serialise_safetensors(file);
    asap::base::check(asap::io::parse_safetensors(again, "again").tensors == file.tensors,
                      "an accepted file must survive being written");
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
