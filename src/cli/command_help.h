#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/config_fields.h"

namespace asap::cli {

/// One option of a command, as it is explained.
struct OptionHelp {
  std::string short_name;  ///< "-h", or empty
  std::string long_name;   ///< "--out"
  std::string value;       ///< what it takes, "DIR" or "minimal|full"; empty: nothing
  bool value_is_optional = false;
  bool required = false;
  bool repeatable = false;
  std::string description;
  std::string default_value;       ///< empty: none, or not worth telling
  std::vector<std::string> words;  ///< the values it takes, where they are few: {"minimal", "full"}
};

/// Options that belong together.
struct OptionGroup {
  std::string title;  ///< "Output"
  std::vector<OptionHelp> options;
};

/// Everything that is said of a command. --help, the manual page and the completion files are made
/// of this and of nothing else.
struct CommandHelp {
  std::string name;  ///< "asap-eval compare"
  std::string summary;
  std::vector<OptionGroup> groups;
  std::vector<CommandHelp> commands;  ///< subcommands
  std::string example;
  std::vector<config::FieldDescription> keys;  ///< of its configuration

  /// Of "asap-eval compare" the part after the last blank.
  std::string last_name() const { return name.substr(name.rfind(' ') + 1); }
};

/// The keys that --set and --config of a command take, with their defaults.
struct CommandKeys {
  const CLI::App* command;
  std::vector<config::FieldDescription> fields;
};

/// Describes a command and its subcommands as they were registered. Its footer holds the example.
/// A value's type name says what it is: DIR a folder, FILE a file, "a|b|c" one of these words.
CommandHelp describe_command(const CLI::App& app, const std::vector<CommandKeys>& keys);

/// Columns of the text on a screen or in a file.
inline constexpr std::size_t kHelpColumns = 90;

/// The answer to --help.
std::string help_text(const CommandHelp& command);

/// The answer to --help-keys: every key of the configuration with its type, default and meaning.
std::string keys_text(const CommandHelp& command);

}  // namespace asap::cli
