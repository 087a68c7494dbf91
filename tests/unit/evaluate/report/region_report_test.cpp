#include "evaluate/report/region_report.h"

#include <doctest/doctest.h>

#include "support/two_methods.h"

using namespace asap::evaluate;
using namespace asap::test;

namespace {

RegionStudy two_layers() {
  RegionStudy study;
  study.title = "letters <b>";
  study.model = "ViT";
  study.segments = 4;
  study.counts = {{3, 5, 5, 40}, {7, 8}};
  study.along = count_range({3, 5, 5, 40, 7, 8});
  return study;
}

}  // namespace

TEST_CASE("the histogram counts every segment once, in few groups") {
  const BarChart chart = region_histogram(two_layers());
  CHECK(chart.bars.size() <= 12);
  CHECK(chart.bars.front().label == "3 to 6");
  CHECK(chart.bars.front().value == 3);
  double all = 0;
  for (const ChartBar& bar : chart.bars) all += bar.value;
  CHECK(all == 6);
  RegionStudy alike;
  alike.counts = {{9, 9}};
  REQUIRE(region_histogram(alike).bars.size() == 1);
  CHECK(region_histogram(alike).bars[0].label == "9");
  CHECK(region_histogram({}).bars.empty());
}

TEST_CASE("the page of regions has the numbers, a picture for each chart, and harmless markup") {
  const std::string page = region_report(two_layers(), {});
  CHECK(page.find("letters &lt;b&gt;: linear regions") != std::string::npos);
  CHECK(page.find("11.3 linear regions on average, 3 to 40") != std::string::npos);
  CHECK(page.find("of a segment, layer 1") != std::string::npos);
  CHECK(occurrences(page, "<svg") == 2);
  RegionStudy perceptron = two_layers();
  perceptron.counts.pop_back();
  CHECK(occurrences(region_report(perceptron, {}), "<svg") == 1);
}
