#include "cli/wrapped.h"

#include "base/text.h"
#include "base/text_table.h"

namespace asap::cli {

std::string wrapped(const std::string& text, int indent, int columns) {
  std::string out;
  int column = indent;
  for (const std::string& word : base::split(text, ' ')) {
    const int width = static_cast<int>(base::display_width(word));
    if (!out.empty()) {
      const bool fits = column + 1 + width < columns;
      out += fits ? " " : "\n" + std::string(static_cast<std::size_t>(indent), ' ');
      column = fits ? column + 1 : indent;
    }
    out += word;
    column += width;
  }
  return out;
}

}  // namespace asap::cli
