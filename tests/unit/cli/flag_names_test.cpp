#include "cli/flag_names.h"

#include <doctest/doctest.h>

using namespace asap::cli;

TEST_CASE("fields in backquotes become the flags of the command, all else stays") {
  CLI::App command;
  bool keep_shape = false;
  command.add_flag("--keep-shape", keep_shape, "");
  CHECK(name_flags("leave `keep_shape` out", command) == "leave --keep-shape out");
  CHECK(name_flags("`keep_shape`", command) == "--keep-shape");
  CHECK(name_flags("`depth` and `keep_shape`", command) == "`depth` and --keep-shape");
  std::string column;
  command.add_option("--x,--x-column", column, "");
  CHECK(name_flags("`x_column` or `x`", command) == "--x or --x");
  CHECK(name_flags("an unpaired ` stays", command) == "an unpaired ` stays");
  CHECK(name_flags("", command).empty());
}
