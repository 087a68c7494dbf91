#pragma once

#include <string>

#include "cli/command_help.h"

namespace asap::cli {

/// The manual page of an executable, section 1, in the language of man(7).
std::string man_page(const CommandHelp& program);

}  // namespace asap::cli
