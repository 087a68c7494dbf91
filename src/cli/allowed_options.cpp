#include "cli/allowed_options.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace asap::cli {

void allow_only(const CommonOptions& common, const std::vector<std::string>& names,
                const std::string& whom) {
  static const std::vector<std::string> kEverywhere{
      "--out", "--threads", "--simd", "--quiet", "--verbose", "--json", "--overwrite"};
  for (const CLI::Option* option : common.command->get_options()) {
    if (option->count() == 0 || option->get_lnames().empty()) continue;
    const std::string name = "--" + option->get_lnames()[0];
    if (std::ranges::find(names, name) == names.end() &&
        std::ranges::find(kEverywhere, name) == kEverywhere.end())
      throw base::UsageError(name + " is not for " + whom, "use " + base::join(names, ", "));
  }
}

}  // namespace asap::cli
