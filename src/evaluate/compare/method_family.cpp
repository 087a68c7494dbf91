#include "evaluate/compare/method_family.h"

#include <array>
#include <iterator>

namespace asap::evaluate {
namespace {

struct Entry {
  const char* name;
  const char *colour, *dark_colour;
};

/// In the order of Family.
constexpr std::array<Entry, std::size(kFamilies)> kEntries = {{{"teacher", "#1b1e24", "#f2f3f5"},
                                                               {"softmax", "#a8568a", "#d88bbd"},
                                                               {"truncated", "#d55e00", "#f0883e"},
                                                               {"zero-dual", "#56a0d3", "#7cc4f0"},
                                                               {"compiled", "#0072b2", "#4aa8e8"},
                                                               {"other", "#009e73", "#3ecf9e"}}};

const Entry& entry(Family family) { return kEntries[static_cast<std::size_t>(family)]; }

}  // namespace

Family family_of(std::string_view name) {
  if (name.starts_with("teacher")) return Family::teacher;
  if (name.starts_with("softmax")) return Family::softmax;
  if (name.starts_with("sinkhorn")) return Family::truncated;
  if (name.starts_with("f0")) return Family::zero_dual;
  for (const char* compiled : {"compiled", "guarded", "warm"})
    if (name.starts_with(compiled)) return Family::compiled;
  return Family::other;
}

const char* family_name(Family family) { return entry(family).name; }

const char* family_colour(Family family) { return entry(family).colour; }

const char* family_dark_colour(Family family) { return entry(family).dark_colour; }

}  // namespace asap::evaluate
