#include "cli/version.h"

#include <cstdint>

#include <hwy/targets.h>

#include "base/version.h"

namespace asap::cli {

std::string simd_name() {
  // Highway numbers its targets so that the lowest bit is the best one; this is the choice its
  // dispatch makes.
  const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
  const std::string name = hwy::TargetName(usable & -usable);
  return name == "AVX3" ? "AVX-512" : name;
}

std::string version_line(const std::string& program) {
  const std::string commit =
      base::source_commit().empty() ? "" : "commit " + base::source_commit() + ", ";
  return program + " " + base::version() + " (" + commit + base::build_description() +
         ", MPI no, SIMD " + simd_name() + ")";
}

}  // namespace asap::cli
