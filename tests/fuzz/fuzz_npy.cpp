// Fuzz target: npy files. See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/npy.h"

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const asap::io::StoredTensor tensor = asap::io::parse_npy(bytes, "input");
    asap::base::check(asap::io::parse_npy(asap::io::serialise_npy(tensor), "again") == tensor,
                      "an accepted array must survive being written");
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
