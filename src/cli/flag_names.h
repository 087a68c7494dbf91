#pragma once

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace asap::cli {

/// The text with the flags of a command in place of the fields that modules name in backquotes:
/// `keep_shape` becomes --keep-shape, or the first name of an option that has several. Fields
/// without a flag stay as they are.
std::string name_flags(std::string_view text, const CLI::App& command);

}  // namespace asap::cli
