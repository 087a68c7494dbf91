#include "evaluate/method_family.h"

#include <array>

namespace asap {
namespace {

struct Entry {
  const char* name;
  const char* colour;
};

/// In the order of Family.
constexpr std::array<Entry, 6> kFamilies = {{{"teacher", "#1b1e24"},
                                             {"softmax", "#a8568a"},
                                             {"truncated", "#d55e00"},
                                             {"zero-dual", "#56a0d3"},
                                             {"compiled", "#0072b2"},
                                             {"other", "#009e73"}}};

}  // namespace

Family family_of(std::string_view name) {
  if (name.starts_with("teacher")) return Family::teacher;
  if (name.starts_with("softmax")) return Family::softmax;
  if (name.starts_with("sinkhorn")) return Family::truncated;
  if (name.starts_with("f0")) return Family::zero_dual;
  if (name.starts_with("compiled")) return Family::compiled;
  return Family::other;
}

const char* family_name(Family family) { return kFamilies[static_cast<std::size_t>(family)].name; }

const char* family_colour(Family family) {
  return kFamilies[static_cast<std::size_t>(family)].colour;
}

}  // namespace asap
