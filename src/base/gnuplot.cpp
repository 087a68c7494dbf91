#include "base/gnuplot.h"

#include <cstdio>

namespace asap::base {

std::string gnuplot_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += c;  // only quotes need care there
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out + "'";
}

bool run_gnuplot(const std::string& script) {
  // The command line is fixed: nothing of the user's is seen by a shell.
  FILE* pipe = popen("gnuplot - >/dev/null 2>&1", "w");
  if (pipe == nullptr) return false;
  const bool written = std::fwrite(script.data(), 1, script.size(), pipe) == script.size();
  return pclose(pipe) == 0 && written;
}

}  // namespace asap::base
