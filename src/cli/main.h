#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/command_help.h"

namespace asap::cli {

/// The command line of the process.
class Arguments {
 public:
  Arguments(std::string program, int argc, const char* const* argv)
      : program_(std::move(program)), argc_(argc), argv_(argv) {}

  /// Parses into the options registered on `app`. A mistake becomes a UsageError that suggests the
  /// nearest option or command. --help and --version print their text and end run_main with exit
  /// code 0.
  ///
  /// `keys`: the configuration keys of each command that has some, for --help-keys, the manual page
  /// and completion. The command line "--help-format bash|zsh|fish|man" prints the completion file
  /// of that shell or the manual page, which the build installs.
  /// `description`: of the program, for its manual page.
  void parse(CLI::App& app, const std::vector<CommandKeys>& keys = {},
             const std::string& description = {}) const;

  /// The command line, quoted for a shell, with `more` appended unless it is there already.
  std::string command_line(const std::string& more) const;

 private:
  bool answer_help(const CLI::App& app, const std::vector<CommandKeys>& keys,
                   const std::string& description) const;

  std::string program_;
  int argc_;
  const char* const* argv_;
};

/// The frame of every program: calls `body` and turns an exception into an exit code and one line
/// on stderr, "asap-train: error: MESSAGE (hint: HINT)".
///
///   0 done | 2 usage | 3 data, files, memory | 4 numerical | 70 a defect of the toolkit
///   130, 143 stopped by SIGINT, SIGTERM with its work saved
int run_main(const std::string& program, int argc, const char* const* argv,
             const std::function<void(const Arguments&)>& body);

}  // namespace asap::cli
