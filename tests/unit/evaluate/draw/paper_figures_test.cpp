#include "evaluate/draw/paper_figures.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::evaluate;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("figures for papers are drawn in both formats, whatever their texts hold") {
  try {
    require_gnuplot();
  } catch (const UsageError&) {
    MESSAGE("skipped: gnuplot is not installed");
    return;
  }
  const TemporaryFolder folder;
  Tensor<float> plan({2, 2});
  plan[0] = plan[3] = 1;
  draw_paper_figures(
      folder / "figures",
      {{"scatter",
        ScatterChart{"t", "x", "it's $y", {{"a'b", 1, 2}, {"none", NAN, 1}, {"c", 2, 3}}}},
       {"bars", BarChart{"t", "v", 3, {{"a", 1}, {"b", 2}}}},
       {"lines", LineChart{"t", "x", "y", {{"l", {1, 2, 3}}}, true, true}},
       {"clouds", CloudChart{"t", "x", "y", {{"p", "n", {1, 2}, {1, 2}}}}},
       {"plans", PlanFigure{{{"teacher", plan}, {"difference", plan, true}}}},
       {"nothing", LineChart{"t", "x", "y", {}}}});
  for (const char* name : {"scatter", "bars", "lines", "clouds", "plans"}) {
    CHECK(read_file(folder / "figures" / (std::string(name) + ".svg")).find("<svg") !=
          std::string::npos);
    CHECK(read_file(folder / "figures" / (std::string(name) + ".png")).starts_with("\x89PNG"));
  }
  CHECK_FALSE(std::filesystem::exists(folder / "figures" / "nothing.svg"));
}
