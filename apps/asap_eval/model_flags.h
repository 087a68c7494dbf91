#pragma once

#include <filesystem>

#include <CLI/CLI.hpp>

#include "cli/run_header.h"

namespace asap::asap_eval {

/// --run, --model and --compiled, which the commands on a trained network share.
class ModelFlags {
 public:
  /// `takes_operator`: whether the command has --compiled.
  void add_to(CLI::App& command, bool takes_operator = true);

  /// The folder of the run or the file of the bundle. UsageError unless exactly one is named,
  /// DataError where it is not there.
  const std::filesystem::path& path() const;
  /// The operator folder; empty: none, or the bundle's own.
  const std::filesystem::path& compiled() const { return compiled_; }
  bool is_bundle() const { return run_.empty(); }
  /// Says in a header what was named.
  void describe(cli::RunHeader& header) const;

 private:
  std::filesystem::path run_, model_, compiled_;
};

}  // namespace asap::asap_eval
