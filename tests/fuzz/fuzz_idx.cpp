// Fuzz target: IDX files, plain and packed. See README.md.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "io/idx.h"

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const int rank : {1, 3}) {
    try {
      const asap::io::IdxArray array = asap::io::parse_idx(bytes, rank, "input");
      asap::base::check(static_cast<std::int64_t>(array.values.size()) == array.shape.size(),
                        "an accepted array must be as long as its shape");
    } catch (const asap::base::DataError&) {
    }
  }
  return 0;
}
