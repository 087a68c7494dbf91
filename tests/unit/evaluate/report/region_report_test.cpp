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
  study.of = RegionsOf::feed_forward;
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
  perceptron.of = RegionsOf::network;
  perceptron.counts.pop_back();
  CHECK(occurrences(region_report(perceptron, {}), "<svg") == 1);
}

TEST_CASE("only a perceptron has regions as a whole, whatever its number of layers") {
  RegionStudy study = two_layers();
  study.counts.pop_back();  // a Transformer of one layer
  const std::string whole = "the network has 11.3 linear regions";
  CHECK(region_report(study, {}).find(whole) == std::string::npos);
  CHECK(region_report(study, {}).find("The feed-forward part of a layer has 11.3") !=
        std::string::npos);
  CHECK(region_study_text(study).find("of the feed-forward part") != std::string::npos);
  CHECK(region_study_summary(study)["regions_of"] == "feed-forward part of a layer");
  study.of = RegionsOf::hidden_layers;
  CHECK(region_report(study, {}).find(whole) == std::string::npos);
  CHECK(region_report(study, {}).find("in the input space") == std::string::npos);
  CHECK(region_report(study, {}).find("behind the convolutions have 11.3") != std::string::npos);
  study.of = RegionsOf::network;
  CHECK(region_report(study, {}).find(whole) != std::string::npos);
  CHECK(region_study_text(study).find(", of the") == std::string::npos);
}
