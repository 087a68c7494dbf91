#pragma once

#include <string>

#include "cli/options.h"
#include "io/json.h"

namespace asap::cli {

/// Prints a summary with --json, `text` otherwise, nothing with --quiet.
void print_summary(const CommonOptions& options, const io::Json& summary, const std::string& text);

/// Ends a command: writes DIR/summary.json, after everything else, and prints it with --json,
/// `text` otherwise, nothing with --quiet.
void finish_with_summary(const CommonOptions& options, const io::Json& summary,
                         const std::string& text);

}  // namespace asap::cli
