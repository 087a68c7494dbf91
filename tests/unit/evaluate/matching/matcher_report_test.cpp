#include "evaluate/matching/matcher_report.h"

#include <limits>

#include <doctest/doctest.h>

#include "support/keypoint_files.h"
#include "support/small_matcher.h"

using namespace asap;
using namespace asap::evaluate;
using namespace asap::test;

namespace {

/// F1 is right / 100.
MatchingRow scored(const std::string& method, int right, double layer_milliseconds,
                   double plan_l1) {
  MatchingRow row;
  row.method = method;
  row.counts = {.right = right, .found = 100, .truth = 100};
  row.same = .875;
  row.layer_milliseconds = layer_milliseconds;
  row.plan_l1 = plan_l1;
  row.entries_per_row = row.column_error = std::numeric_limits<double>::quiet_NaN();
  return row;
}

}  // namespace

TEST_CASE("the verdict says where the network wins and where it loses") {
  const auto verdict =
      matcher_verdict({{"data/hard.npz",
                        3,
                        {scored("network", 60, 1, 0), scored("mutual", 50, 0, 0),
                         scored("ratio:0.8", 62, 0, 0), scored("runs/dual", 55, 1, 0)}}});
  REQUIRE(verdict.size() == 1);
  CHECK(verdict[0] ==
        "On hard the network's F1 is 0.600, 0.020 below the best classical method, ratio:0.8 "
        "(0.620), 0.050 above runs/dual (0.550).");
}

TEST_CASE("an equal score is neither above nor below") {
  const auto verdict =
      matcher_verdict({{"a.npz", 3, {scored("network", 60, 1, 0), scored("mutual", 60, 0, 0)}}});
  CHECK(verdict[0] ==
        "On a the network's F1 is 0.600, as good as the best classical method, mutual.");
}

TEST_CASE("a compiled method that a cut loop beats is said not to pay") {
  std::vector<MatchingRow> rows{scored("network", 60, 2, 0), scored("teacher", 60, 2, 0),
                                scored("sinkhorn:5", 60, 1.1, .02), scored("compiled", 59, 1, .05)};
  auto verdict = matcher_verdict({{"a.npz", 3, rows}});
  REQUIRE(verdict.size() == 2);
  CHECK(verdict[1] ==
        "On a, compiled makes 87.5 % of the teacher's matches in 0.50 of its layer's time, F1 "
        "0.590 against 0.600.");
  rows[2].layer_milliseconds = .9;
  verdict = matcher_verdict({{"a.npz", 3, rows}});
  CHECK(verdict[1].find("It does not pay here: sinkhorn:5") != std::string::npos);
}

TEST_CASE("without true matches or without the network the verdict claims nothing") {
  MatchingRow unknown = scored("network", 0, 1, 0);
  unknown.counts = {};
  CHECK(matcher_verdict({{"a.npz", 1, {unknown}}})[0].find("nothing is known") !=
        std::string::npos);
  CHECK(matcher_verdict({{"a.npz", 1, {scored("mutual", 1, 0, 0)}}})[0].find("not among") !=
        std::string::npos);
}

TEST_CASE("the page has the verdict first, every file's table, and pictures of pairs and plans") {
  const data::KeypointPairs pairs =
      data::KeypointPairs::parse(drawn_keypoints(), config::DescriptorKind::histogram);
  const infer::Matcher network = untrained_matcher(config::MatcherOutput::dual_softmax);
  MatcherReport report{.model = "matcher <small>", .run = "runs/a", .teacher_iterations = 20};
  report.files = {{"a.npz", 3, {scored("network", 60, 2, 0)}},
                  {"b.npz", 4, {scored("network", 50, 2, 0)}}};
  report.pictures = picture_pairs(pairs, network, 0, 2, "b");
  REQUIRE(report.pictures.size() == 2);
  const std::string page = matcher_report_page(report);
  CHECK(page.find("On a the network") < page.find("a: 3 pairs"));
  CHECK(page.find("b: 4 pairs") < page.find("data-chart=\"plan-1\""));
  CHECK(page.find("matcher &lt;small&gt;") != std::string::npos);
  CHECK(page.find("b, pair 1: matches of the network") != std::string::npos);
  CHECK(page.find("<td>-</td>") != std::string::npos);
  CHECK(page.find("nan") == std::string::npos);
}
