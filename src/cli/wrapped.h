#pragma once

#include <string>

namespace asap::cli {

/// The text, which begins in column `indent`, with line ends in place of blanks so that no line
/// reaches the last of `columns` unless one word does. The next lines begin in column `indent`,
/// too.
std::string wrapped(const std::string& text, int indent, int columns);

}  // namespace asap::cli
