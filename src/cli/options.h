#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace asap {

/// The options every command has.
struct CommonOptions {
  std::filesystem::path out;     ///< folder for all results; summary.json is written last
  std::filesystem::path config;  ///< JSON file; empty for defaults
  std::vector<std::string>
      assignments;                    ///< --set path.to.key=value, applied after the file, in order
  bool dump_config = false;           ///< print the resolved configuration and stop
  int threads = 0;                    ///< worker threads; never changes results
  std::optional<std::uint64_t> seed;  ///< overrides the configuration's seed
  bool quiet = false;
  bool verbose = false;
  bool json = false;

  /// Whether headers, progress and tables are wanted.
  bool prints_text() const { return !quiet && !json; }
  /// The --out folder. UsageError when it was not given.
  const std::filesystem::path& required_out() const;
};

/// Registers the common options on a command, in groups, and the example that ends its --help.
/// `program` is the name of the executable. `options` must outlive parsing. Commands with options
/// of their own register them before, so that they stand first in the help.
void add_common_options(CLI::App& command, CommonOptions& options, const std::string& program,
                        const std::string& example);

/// --help and --version alone, for the outer command of an executable that has subcommands.
void add_information_options(CLI::App& command, const std::string& program);

/// Sends log lines (spdlog) to stderr: all of them with --verbose, else only warnings.
void configure_logging(const CommonOptions& options);

}  // namespace asap
