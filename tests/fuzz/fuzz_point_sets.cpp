// Fuzz target: sets of points, as tables and as samples of ModelNet10. See README.md.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "data/points/point_files.h"

namespace {

void check_sets(const asap::data::PointSets& sets) {
  asap::base::check(sets.size() > 0 && std::ssize(sets.offsets) == sets.size() + 1,
                    "an accepted file has sets");
  asap::base::check(std::ssize(sets.points) == sets.offsets.back() * sets.width,
                    "there must be as many coordinates as points need");
  for (std::int64_t i = 0; i < sets.size(); ++i)
    asap::base::check(sets.offsets[i] < sets.offsets[i + 1] && sets.labels[i] >= 0,
                      "an accepted set has points and a label");
  for (const float value : sets.points)
    asap::base::check(std::isfinite(value), "accepted coordinates are finite");
}

}  // namespace

/// Damaged input may only be refused with a DataError; everything else is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    check_sets(asap::data::parse_delimited_points(bytes, "input"));
  } catch (const asap::base::DataError&) {
  }
  try {
    check_sets(asap::data::parse_modelnet(bytes, "input"));
  } catch (const asap::base::DataError&) {
  }
  return 0;
}
