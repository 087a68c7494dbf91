#include "evaluate/draw/page_parts.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/files.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::evaluate;
using namespace asap::test;
using namespace asap::io;

TEST_CASE("a plotting library that was named must be there and be d3") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(find_plot_library(folder / "none.js"), UsageError);
  write_file_atomically(folder / "other.js", "alert(1)");
  CHECK_THROWS_AS(find_plot_library(folder / "other.js"), UsageError);
  write_file_atomically(folder / "d3.js", "// d3\nscaleLinear");
  CHECK(find_plot_library(folder / "d3.js").code == "// d3\nscaleLinear");
  CHECK(find_plot_library("none").code.empty());
}

TEST_CASE("nothing that is embedded in a script can end it") {
  const Json value = {{"text", "</script><script>alert(1)</script><!--"}};
  const std::string json = script_json(value);
  CHECK(json.find('<') == std::string::npos);
  CHECK(parse_json(json, "page") == value);
  const std::string script = script_element("a = '</script>' + '</ScRiPt >' + '<!--';");
  CHECK(script == "<script>a = '<\\/script>' + '<\\/ScRiPt >' + '<\\!--';</script>\n");
}
