// Fuzz target: tables of numbers with a target column, their header guessed, as
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
      const asap::region::NamedTable table =
          asap::region::parse_table(bytes, {target, {}}, "input");
      for (const double value : table.rows.x.flat())
        asap::base::check(std::isfinite(value), "an accepted cell must be finite");
      asap::base::check(
          table.rows.x.size() == table.rows.size() * static_cast<std::int64_t>(table.inputs.size()),
          "every row has every input");
    } catch (const asap::base::DataError&) {
      // Refused as it should be.
    }
  }
  return 0;
}
