// Fuzz target: points for relu-fit, as comma-separated or tab-separated text. See README.md.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "region/target/points_file.h"

namespace {

void read(std::string_view text, const asap::region::ChosenColumns& chosen) {
  try {
    const asap::region::Samples samples = asap::region::parse_points(text, "input", chosen).samples;
    for (std::int64_t i = 0; i < samples.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      asap::base::check(std::isfinite(samples.x[at]) && std::isfinite(samples.y[at]),
                        "an accepted point must be finite");
      asap::base::check(std::isfinite(samples.weight_at(i)) && samples.weight_at(i) > 0,
                        "an accepted weight must be finite and positive");
      asap::base::check(i == 0 || samples.x[at - 1] < samples.x[at],
                        "accepted points must be in order");
    }
  } catch (const asap::base::DataError&) {
  } catch (const asap::base::UsageError&) {
    asap::base::check(chosen.any(), "what was not chosen cannot be chosen wrongly");
  }
}

}  // namespace

/// Damaged input may only be refused with a DataError, or a UsageError where two choices are one
/// column; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read(text, {});
  read(text, {"x", "", ""});
  read(text, {"2", "y", "weight"});
  return 0;
}
