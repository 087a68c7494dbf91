#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/config_fields.h"

namespace asap::cli {

/// What --dump-config prints: nothing, the fields that differ from their defaults, or all.
enum class ConfigDump { none, minimal, full };

/// The options every command has.
struct CommonOptions {
  std::filesystem::path out;     ///< folder for all results; summary.json is written last
  std::filesystem::path config;  ///< JSON file; empty for defaults
  std::vector<std::string>
      assignments;  ///< --set path.to.key=value, applied after the file, in order
  ConfigDump dump_config = ConfigDump::none;  ///< print the resolved configuration and stop
  int threads = 0;                            ///< worker threads; never changes results
  std::optional<std::uint64_t> seed;          ///< overrides the configuration's seed
  bool quiet = false;
  bool verbose = false;
  bool json = false;

  /// Whether headers, progress and tables are wanted.
  bool prints_text() const { return !quiet && !json; }
  /// The --out folder. UsageError when it was not given.
  const std::filesystem::path& required_out() const;
};

/// Tells in the help that the default of an option is that of the configuration key it stands for.
/// InternalError when there is no such key.
CLI::Option* show_default(CLI::Option* option, const std::vector<config::FieldDescription>& keys,
                          const std::string& key);

/// Title under which --help and its like stand.
inline constexpr const char* kInformationGroup = "Information";

/// Registers the common options on a command, in groups, and the example that ends its --help.
/// `program` is the name of the executable. `options` must outlive parsing. Commands with options
/// of their own register them before, so that they stand first in the help.
void add_common_options(CLI::App& command, CommonOptions& options, const std::string& program,
                        const std::string& example);

/// Makes an option take one of a few words; another one is a UsageError that suggests the nearest.
/// They also appear in its help and in the completion files.
CLI::Option* take_one_of(CLI::Option* option, const std::vector<std::string>& words);

/// --help and --version alone, for the outer command of an executable that has subcommands.
void add_information_options(CLI::App& command, const std::string& program);

/// Sends log lines (spdlog) to stderr: all of them with --verbose, else only warnings.
void configure_logging(const CommonOptions& options);

}  // namespace asap::cli
