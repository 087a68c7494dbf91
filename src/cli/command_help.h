#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/config_fields.h"

namespace asap::cli {

/// The description of one option.
struct OptionHelp {
  std::string short_name;  ///< "-h", or empty
  std::string long_name;   ///< "--out"
  std::string value;       ///< the kind of its value, "DIR" or "minimal|full"; empty: no value
  bool value_is_optional = false;
  bool required = false;
  bool repeatable = false;
  std::string description;
  std::string default_value;       ///< empty: no default to show
  std::vector<std::string> words;  ///< its possible values, if they are listed: {"minimal", "full"}
};

/// Options that belong together.
struct OptionGroup {
  std::string title;  ///< "Output"
  std::vector<OptionHelp> options;
};

/// The description of a command. --help, the manual page and the completion files all derive from
/// it.
struct CommandHelp {
  std::string name;  ///< "asap-eval compare"
  std::string summary;
  std::string description;  ///< of a program, for its manual page
  std::vector<OptionGroup> groups;
  std::vector<CommandHelp> commands;  ///< subcommands
  std::string example;
  std::vector<config::FieldDescription> keys;  ///< the keys of its configuration

  /// The part of the name after the last space: "compare".
  std::string last_name() const { return name.substr(name.rfind(' ') + 1); }
};

/// The keys that --set and --config of a command take, with their defaults.
struct CommandKeys {
  const CLI::App* command;
  std::vector<config::FieldDescription> fields;
};

/// Describes a command and its subcommands from their registered options. The footer of a command
/// is its example. The type name of a value tells its kind: DIR a folder, FILE a file, "a|b|c" one
/// of these words.
CommandHelp describe_command(const CLI::App& app, const std::vector<CommandKeys>& keys);

/// Width of the help text, in columns.
inline constexpr std::size_t kHelpColumns = 90;

/// The text that --help prints.
std::string help_text(const CommandHelp& command);

/// The text that --help-keys prints: every key of the configuration with its type, default and
/// meaning.
std::string keys_text(const CommandHelp& command);

}  // namespace asap::cli
