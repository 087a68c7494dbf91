#include "evaluate/draw/svg_chart.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "support/two_methods.h"

using namespace asap::base;
using namespace asap::evaluate;
using namespace asap::test;

TEST_CASE("axis ticks are round, cover the range and are few") {
  for (const auto& [low, high] :
       {std::pair(0.0, 1.0), std::pair(0.728, 0.834), std::pair(-3.0, 1e4), std::pair(0.0, 3e-5),
        std::pair(0.5, 0.5)}) {
    const std::vector<double> ticks = axis_ticks(low, high, 5);
    CHECK(ticks.front() <= low + 1e-12);
    CHECK(ticks.back() >= high - 1e-12);
    CHECK(ticks.size() >= 2);
    CHECK(ticks.size() <= 8);
    const double step = ticks[1] - ticks[0];
    const double leading = step / std::pow(10, std::floor(std::log10(step) + 1e-9));
    CHECK((std::abs(leading - 1) < 1e-6 || std::abs(leading - 2) < 1e-6 ||
           std::abs(leading - 5) < 1e-6));
  }
}

TEST_CASE("markup in texts is harmless") {
  CHECK(escape_markup("<a href=\"x\">'&'</a>") ==
        "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  const std::string svg = render_svg(ScatterChart{"t<i>", "x", "y", {{"<b>", 1, 2}}});
  CHECK(svg.find("<b>") == std::string::npos);
  CHECK(svg.find("<i>") == std::string::npos);
}

TEST_CASE("every finite point and bar is drawn, others are left out") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string scatter =
      render_svg(ScatterChart{"title", "x", "y", {{"a", 1, 2}, {"b", nan, 2}, {"c", 3, 4}}});
  CHECK(occurrences(scatter, "<circle") == 2);
  CHECK(scatter.find("nan") == std::string::npos);
  const std::string bars = render_svg(BarChart{"title", "v", 3, {{"a", 0}, {"b", 2}, {"c", nan}}});
  CHECK(occurrences(bars, "<rect") == 2);
  CHECK(bars.find("2.000") != std::string::npos);
  CHECK(render_svg(ScatterChart{"empty", "x", "y", {}}).find("no data") != std::string::npos);
}

TEST_CASE("every line of a line chart is drawn with its name, over what is not finite") {
  const LineChart chart{"t",
                        "layer",
                        "entropy",
                        {{"softmax", {1, NAN, 0.5}},
                         {"sinkhorn", {0.2, 0.3}, Family::teacher},
                         {"none", {INFINITY}}}};
  const std::string svg = render_svg(chart);
  CHECK(occurrences(svg, "<path") == 5);  // two lines, three samples in the legend
  for (const char* part : {"softmax", "sinkhorn", "none", ">layer<", ">entropy<"})
    CHECK(svg.find(part) != std::string::npos);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
}

TEST_CASE("the teacher's line lies on top of the others, wherever it stands in the legend") {
  const LineChart chart{"t", "x", "y", {{"a", {1, 2}, Family::teacher}, {"b", {2, 1}}}};
  const std::string svg = render_svg(chart);
  const std::size_t last = svg.rfind("class=\"line ");
  CHECK(svg.substr(last).starts_with("class=\"line teacher\""));
  CHECK(svg.find(">a<") < svg.find(">b<"));
}

TEST_CASE("iterations and layers have whole ticks") {
  for (const int count : {2, 3, 5, 7, 11, 21}) {
    const LineChart chart{"t", "iterations", "y", {{"a", std::vector<double>(count, 1.0)}}};
    const std::string svg = render_svg(chart);
    // Ticks of the x axis are the only texts that may be fractions below the axis.
    CHECK(svg.find(">0.5<") == std::string::npos);
    CHECK(svg.find(">1.5<") == std::string::npos);
    CHECK(svg.find(">2.5<") == std::string::npos);
  }
}

TEST_CASE("pictures carry their own light and dark colours") {
  const std::string svg = render_svg(BarChart{"title", "v", 3, {{"a", 1}}});
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(svg.find("prefers-color-scheme:dark") != std::string::npos);
}

TEST_CASE("the points that no other beats are the front") {
  const std::vector<ChartPoint> points = {{"slow and good", 3, 0.9}, {"fast", 1, 0.7},
                                          {"beaten", 2, 0.6},        {"better", 2, 0.8},
                                          {"as good", 3, 0.9},       {"nothing", NAN, 1}};
  CHECK(pareto_front(points) == std::vector<bool>{true, true, false, true, true, false});
  CHECK(pareto_front(points, true) == std::vector<bool>{false, true, true, false, false, false});
}

TEST_CASE("logarithmic ticks are few and cover the range") {
  for (const auto& [low, high] :
       {std::pair(64.0, 1024.0), std::pair(1e-5, 3.0), std::pair(0.3, 0.4), std::pair(1.0, 10.0)}) {
    const std::vector<double> ticks = logarithmic_ticks(low, high);
    CHECK(ticks.front() <= low * (1 + 1e-9));
    CHECK(ticks.back() >= high * (1 - 1e-9));
    CHECK(ticks.size() >= 2);
    CHECK(ticks.size() <= 9);
  }
}
