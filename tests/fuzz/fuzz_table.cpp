// Fuzz target: rows of numbers with a target column, their header guessed, as
// `relu-fit fit --target` reads them. See README.md.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "region/target/rows.h"

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const char* target : {"f", "1", "2"}) {
    try {
      const asap::region::NamedRows named = asap::region::parse_rows(bytes, {target, {}}, "input");
      for (const double value : named.rows.x.flat())
        asap::base::check(std::isfinite(value), "an accepted cell must be finite");
      asap::base::check(
          named.rows.x.size() == named.rows.size() * static_cast<std::int64_t>(named.inputs.size()),
          "every row has every input");
    } catch (const asap::base::DataError&) {
      // Refused as it should be.
    }
  }
  return 0;
}
