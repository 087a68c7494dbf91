#pragma once

#include <string>

#include "cli/options.h"
#include "io/json.h"

namespace asap::cli {

/// Prints the summary with --json, nothing with --quiet, and `text` otherwise.
void print_summary(const CommonOptions& options, const io::Json& summary, const std::string& text);

/// Ends a training: writes DIR/summary.json, after everything else, and prints it with --json,
/// `text` otherwise, nothing with --quiet. Other commands end with OutputFolder::finish.
void finish_with_summary(const CommonOptions& options, const io::Json& summary,
                         const std::string& text);

}  // namespace asap::cli
