#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace asap::base {

/// A gnuplot string in single quotes, whatever the text holds.
std::string gnuplot_quoted(const std::string& text);

/// Whether gnuplot is installed and has every one of these terminals ("svg", "pngcairo").
bool gnuplot_has(const std::vector<std::string>& terminals);

/// A file that gnuplot draws.
struct Picture {
  std::filesystem::path file;
  std::string terminal;  ///< name and options: "svg size 640, 480"
};

/// Draws the same plot into every file with one run of gnuplot. `definitions` is the part of the
/// script that comes first, once (data blocks, encoding); `plot` is the part that draws, repeated
/// for each file. Each file is drawn beside its place and renamed, so it appears under its name
/// only when complete. Returns false when gnuplot is missing or fails; then no file has changed,
/// and nothing is printed.
bool draw_pictures(const std::vector<Picture>& pictures, const std::string& definitions,
                   const std::string& plot);

}  // namespace asap::base
