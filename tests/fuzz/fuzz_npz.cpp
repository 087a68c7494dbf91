// Fuzz target: npz archives. See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/npz.h"

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& [name, tensor] : asap::io::parse_npz(bytes, "input").tensors)
      asap::base::check(static_cast<std::int64_t>(tensor.bytes.size()) ==
                            tensor.shape.size() * asap::io::element_bytes(tensor.type),
                        "an accepted array must have the bytes that its shape needs");
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
