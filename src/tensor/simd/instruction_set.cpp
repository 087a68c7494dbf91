#include "tensor/simd/instruction_set.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>

#include <hwy/targets.h>

#ifdef ASAP_COMPILES_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "base/error.h"
#include "base/text.h"
#include "tensor/simd/bfloat16_unit.h"

namespace asap::tensor {
namespace {

constexpr std::pair<const char*, BFloat16Unit> kBeyondAvx3[] = {
    {"amx", BFloat16Unit::tiles}, {"avx3_bf16", BFloat16Unit::dot_product}};

BFloat16Unit most_allowed = BFloat16Unit::tiles;

std::string lower_case(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

#ifdef ASAP_COMPILES_AMX
bool has_tiles() {
  constexpr unsigned kBFloat16 = 1U << 22, kTiles = 1U << 24;  // leaf 7, edx
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  // A process may use the registers once it has asked Linux for them.
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return (edx & kBFloat16) != 0 && (edx & kTiles) != 0 &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#else
bool has_tiles() { return false; }
#endif

#ifdef ASAP_COMPILES_AVX512_BF16
bool has_dot_product() { return __builtin_cpu_supports("avx512bf16"); }
#else
bool has_dot_product() { return false; }
#endif

BFloat16Unit available_unit() {
  if (!has_dot_product()) return BFloat16Unit::none;
  return has_tiles() ? BFloat16Unit::tiles : BFloat16Unit::dot_product;
}

}  // namespace

BFloat16Unit bfloat16_unit() {
  static const BFloat16Unit available = available_unit();
  // Kernels of bfloat16 share the layout of those of AVX-512.
  if ((hwy::SupportedTargets() & HWY_AVX3) == 0) return BFloat16Unit::none;
  return std::min(available, most_allowed);
}

std::string instruction_set() {
  if (bfloat16_unit() == BFloat16Unit::tiles) return "AMX";
  if (bfloat16_unit() == BFloat16Unit::dot_product) return "AVX3_BF16";
  // Highway numbers its targets so that the lowest bit is the best one; this is the choice its
  // dispatch makes.
  const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(usable & -usable);
}

std::vector<std::string> usable_instruction_sets() {
  std::vector<std::string> names;
  for (const auto& [name, unit] : kBeyondAvx3)
    if (bfloat16_unit() >= unit) names.push_back(name);
  std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  std::ranges::sort(targets);
  for (const std::int64_t target : targets) names.push_back(lower_case(hwy::TargetName(target)));
  return names;
}

void limit_instruction_set(const std::string& given) {
  const std::string name = lower_case(given);
  for (const auto& [known, unit] : kBeyondAvx3)
    if (known == name && bfloat16_unit() >= unit) {
      most_allowed = unit;
      return;
    }
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    if (lower_case(hwy::TargetName(target)) == name) {
      // All lower bits are better instruction sets. Not DisableTargets: Highway forgets those again
      // whenever it is asked what is supported.
      hwy::SetSupportedTargetsForTest(hwy::SupportedTargets() & -target);
      most_allowed = BFloat16Unit::none;
      return;
    }
  throw base::UsageError("instruction set '" + given + "' is not usable here",
                         "usable are " + base::join(usable_instruction_sets(), ", "));
}

}  // namespace asap::tensor
