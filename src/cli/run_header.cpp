#include "cli/run_header.h"

#include <algorithm>

#include "cli/version.h"

namespace asap {

RunHeader& RunHeader::add_machine(const CommonOptions& options, std::uint64_t seed) {
  add("threads", std::to_string(options.threads));
  add("seed", std::to_string(seed));
  return add("SIMD", simd_name());
}

std::string RunHeader::text() const {
  std::size_t width = 0;
  for (const auto& [name, value] : lines_) width = std::max(width, name.size());
  std::string result = title_ + "\n";
  for (const auto& [name, value] : lines_)
    result += "  " + name + std::string(width - name.size() + 2, ' ') + value + "\n";
  return result;
}

}  // namespace asap
