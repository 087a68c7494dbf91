#include "base/picture.h"

#include <algorithm>
#include <cstdio>

namespace asap::base {
namespace {

/// Where a picture is drawn before it is renamed.
std::filesystem::path part_of(const Picture& picture) { return picture.file.string() + ".part"; }

bool run_gnuplot(const std::string& script) {
  // The command line is fixed: nothing of the user's is seen by a shell.
  FILE* pipe = popen("gnuplot - >/dev/null 2>&1", "w");
  if (pipe == nullptr) return false;
  const bool written = std::fwrite(script.data(), 1, script.size(), pipe) == script.size();
  return pclose(pipe) == 0 && written;
}

}  // namespace

std::string gnuplot_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += c;  // only quotes need care there
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out + "'";
}

bool gnuplot_has(const std::vector<std::string>& terminals) {
  std::string script;
  for (const std::string& terminal : terminals) script += "set terminal " + terminal + "\n";
  return run_gnuplot(script);
}

bool draw_pictures(const std::vector<Picture>& pictures, const std::string& definitions,
                   const std::string& plot) {
  std::string script = definitions;
  for (const Picture& picture : pictures)
    script += (&picture == &pictures.front() ? "" : "reset\n") +
              ("set terminal " + picture.terminal) + "\nset output " +
              gnuplot_quoted(part_of(picture).string()) + "\n" + plot + "unset output\n";
  const bool drawn =
      run_gnuplot(script) && std::ranges::all_of(pictures, [](const Picture& picture) {
        return std::filesystem::exists(part_of(picture));
      });
  for (const Picture& picture : pictures) {
    std::error_code ignored;
    if (drawn)
      std::filesystem::rename(part_of(picture), picture.file);
    else
      std::filesystem::remove(part_of(picture), ignored);
  }
  return drawn;
}

}  // namespace asap::base
