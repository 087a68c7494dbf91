#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/command.h"

namespace asap::relu_fit {

/// The text with the flags of a command in place of the fields that src/region names in backquotes:
/// `keep_shape` becomes --keep-shape. Fields without a flag stay as they are.
std::string name_flags(std::string_view text, const CLI::App& command);

/// The same command, whose errors name its flags.
std::unique_ptr<cli::Command> with_flag_names(std::unique_ptr<cli::Command> command);

}  // namespace asap::relu_fit
