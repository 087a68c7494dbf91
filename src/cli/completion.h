#pragma once

#include <string>

#include "cli/command_help.h"

namespace asap::cli {

/// Completion files for shells. They complete subcommands, options, the words that an option takes,
/// folders and files, and the keys of --set.
std::string bash_completion(const CommandHelp& program);
std::string zsh_completion(const CommandHelp& program);
std::string fish_completion(const CommandHelp& program);

}  // namespace asap::cli
