#pragma once

#include <string>

namespace asap::base {

/// A gnuplot string in single quotes, whatever the text holds.
std::string gnuplot_quoted(const std::string& text);

/// Runs gnuplot on a script. False when there is no gnuplot or it fails; nothing is printed.
bool run_gnuplot(const std::string& script);

}  // namespace asap::base
