#pragma once

#include <string>
#include <vector>

#include "cli/options.h"

namespace asap::cli {

/// For a command that serves several kinds of run: UsageError when an option was given that is
/// neither one of `names` ("--run") nor one of those that every command has. `whom`: "runs of a
/// matcher".
void allow_only(const CommonOptions& common, const std::vector<std::string>& names,
                const std::string& whom);

}  // namespace asap::cli
