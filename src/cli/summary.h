#pragma once

#include <string>

#include "cli/options.h"
#include "io/json.h"

namespace asap::cli {

/// Prints the summary with --json, nothing with --quiet, and `text` otherwise.
void print_summary(const CommonOptions& options, const io::Json& summary, const std::string& text);

/// Ends a command that needs --out: writes DIR/summary.json, after everything else, and prints it
/// with --json, `text` otherwise, nothing with --quiet.
void finish_with_summary(const CommonOptions& options, const io::Json& summary,
                         const std::string& text);

/// Ends a command that may do without --out: prints the result and, with --out, also makes the
/// folder and writes its summary.json.
void finish(const CommonOptions& options, const io::Json& summary, const std::string& text);

}  // namespace asap::cli
