#include "tensor/simd/instruction_set.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include <hwy/targets.h>

#include "base/error.h"
#include "base/text.h"

namespace asap::tensor {
namespace {

std::string lower_case(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

}  // namespace

std::string instruction_set() {
  // Highway numbers its targets so that the lowest bit is the best one; this is the choice its
  // dispatch makes.
  const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(usable & -usable);
}

std::vector<std::string> usable_instruction_sets() {
  std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  std::ranges::sort(targets);
  std::vector<std::string> names;
  for (const std::int64_t target : targets) names.push_back(lower_case(hwy::TargetName(target)));
  return names;
}

void limit_instruction_set(const std::string& name) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    if (lower_case(hwy::TargetName(target)) == name) {
      // All lower bits are better instruction sets. Not DisableTargets: Highway forgets those again
      // whenever it is asked what is supported.
      hwy::SetSupportedTargetsForTest(hwy::SupportedTargets() & -target);
      return;
    }
  throw base::UsageError("instruction set '" + name + "' is not usable here",
                         "usable are " + base::join(usable_instruction_sets(), ", "));
}

}  // namespace asap::tensor
