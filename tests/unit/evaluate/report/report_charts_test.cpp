#include "evaluate/report/report_charts.h"

#include <doctest/doctest.h>

using namespace asap::evaluate;

TEST_CASE("times by length are drawn as ratios to our own loop, on a linear axis") {
  ScalingCurves scaling;
  scaling.curves = {{"sinkhorn_exp", {64, 128}, {2, 8}},
                    {"sinkhorn_log", {64, 128}, {40, 160}},
                    {"compiled", {64, 128, 256}, {3, 4, 9}}};
  const LineChart chart = scaling_chart(scaling);
  CHECK(chart.log_x);
  CHECK_FALSE(chart.log_y);
  REQUIRE(chart.lines.size() == 2);  // not the slow form of the literature
  CHECK(chart.lines[0].values == std::vector<double>{1, 1});
  CHECK(chart.lines[1].label == "compiled");
  CHECK(chart.lines[1].values == std::vector<double>{1.5, 0.5});
  CHECK(chart.lines[1].at == std::vector<double>{64, 128});  // at 256 there is nothing to divide by

  scaling.curves.erase(scaling.curves.begin());
  const LineChart alone = scaling_chart(scaling);
  CHECK(alone.log_y);
  REQUIRE(alone.lines.size() == 1);
  CHECK(alone.lines[0].values == std::vector<double>{3, 4, 9});
}
