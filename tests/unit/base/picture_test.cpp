#include "base/picture.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/temporary_folder.h"

namespace {

using namespace asap::base;
using asap::test::TemporaryFolder;

bool has_gnuplot() {
  if (gnuplot_has({"svg", "pngcairo"})) return true;
  MESSAGE("skipped: gnuplot is not installed");
  return false;
}

}  // namespace

TEST_CASE("a gnuplot string is one string, whatever the text holds") {
  CHECK(gnuplot_quoted("") == "''");
  CHECK(gnuplot_quoted("it's $y") == "'it''s $y'");
  CHECK(gnuplot_quoted("two\r\nlines") == "'two  lines'");
}

TEST_CASE("one plot is drawn into every file, whatever the folder is called") {
  if (!has_gnuplot()) return;
  const TemporaryFolder folder;
  make_directories(folder / "it's here");
  const std::filesystem::path svg = folder / "it's here/a.svg", png = folder / "it's here/a.png";
  REQUIRE(draw_pictures({{svg, "svg size 200, 100"}, {png, "pngcairo size 200, 100"}},
                        "$points << END\n0 1\n1 2\nEND\n", "plot $points with lines\n"));
  CHECK(read_file(svg).find("<svg") != std::string::npos);
  CHECK(read_file(png).starts_with("\x89PNG"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder / "it's here"), {}) == 2);
}

TEST_CASE("settings of one picture do not reach the next") {
  if (!has_gnuplot()) return;
  const TemporaryFolder folder;
  REQUIRE(draw_pictures({{folder / "1.svg", "svg"}, {folder / "2.svg", "svg"}}, "",
                        "plot x\nset title 'of the next plot'\n"));
  CHECK(read_file(folder / "2.svg").find("of the next plot") == std::string::npos);
}

TEST_CASE("a plot that fails leaves every file as it was") {
  if (!has_gnuplot()) return;
  const TemporaryFolder folder;
  write_file_atomically(folder / "old.svg", "old");
  CHECK_FALSE(draw_pictures({{folder / "old.svg", "svg"}, {folder / "new.png", "pngcairo"}}, "",
                            "plot $nothing\n"));
  CHECK_FALSE(draw_pictures({{folder / "old.svg", "svg"}, {folder / "none/new.png", "pngcairo"}},
                            "", "plot x\n"));
  CHECK(read_file(folder / "old.svg") == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a terminal that gnuplot does not have is noticed") {
  if (!has_gnuplot()) return;
  CHECK_FALSE(gnuplot_has({"svg", "no_such_terminal"}));
}
