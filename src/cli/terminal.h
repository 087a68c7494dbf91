#pragma once

namespace asap::cli {

/// What the destination of the text can show.
struct Terminal {
  bool interactive = false;  ///< a screen whose lines can be redrawn; false for files and pipes
  bool colours = false;      ///< interactive, and NO_COLOR (no-color.org) is not set
  bool unicode = false;      ///< the locale is UTF-8
  int columns = 80;
};

/// The terminal behind stderr. Every call reads its width again because windows are resized.
Terminal terminal_on_stderr();

}  // namespace asap::cli
