#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/config_fields.h"

namespace asap::cli {

/// What --dump-config prints: nothing, the fields that differ from their defaults, or all fields.
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
  bool overwrite = false;  ///< results of the same command with other settings may be replaced
  std::string program;     ///< the name of the executable
  const CLI::App* command = nullptr;  ///< where the options were given

  /// Whether headers, progress and tables are wanted.
  bool prints_text() const { return !quiet && !json; }
  /// The --out folder. UsageError when the option is missing.
  const std::filesystem::path& required_out() const;
};

/// Shows in the help of an option the default of the configuration key that it sets. InternalError
/// when the key does not exist.
CLI::Option* show_default(CLI::Option* option, const std::vector<config::FieldDescription>& keys,
                          const std::string& key);

/// Title of the group of --help, --version and the like.
inline constexpr const char* kInformationGroup = "Information";

/// Registers the common options of a command, in groups, and the example that ends its --help.
/// `program` is the name of the executable. `options` must outlive parsing. Commands register their
/// own options first, so that the help begins with them. `overwrites`: whether the command has the
/// option --overwrite.
void add_common_options(CLI::App& command, CommonOptions& options, const std::string& program,
                        const std::string& example, bool overwrites = true);

/// Restricts an option to a few words, which its help and the completion files list. Any other word
/// is a UsageError that suggests the nearest.
CLI::Option* take_one_of(CLI::Option* option, const std::vector<std::string>& words);

/// For Option::check: refuses what is no number of the range, NaN and infinity included.
CLI::Validator number_in(const config::FieldRange& range);

/// Registers only --help and --version, for a program that has subcommands.
void add_information_options(CLI::App& command, const std::string& program);

/// Sends log lines (spdlog) to stderr: all of them with --verbose, else only warnings.
void configure_logging(const CommonOptions& options);

}  // namespace asap::cli
