#include "evaluate/matching/matcher_comparison.h"

#include <cmath>

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "support/keypoint_files.h"
#include "support/small_matcher.h"

using namespace asap;
using namespace asap::evaluate;
using namespace asap::test;

namespace {

const data::KeypointPairs kPairs =
    data::KeypointPairs::parse(drawn_keypoints(), config::DescriptorKind::histogram);

std::vector<MatchingMethod> methods(std::initializer_list<const char*> names) {
  std::vector<MatchingMethod> list;
  for (const char* name : names) list.push_back(MatchingMethod::parse(name));
  return list;
}

}  // namespace

TEST_CASE("methods are compared with the network, at any number of threads alike") {
  const infer::Matcher network = untrained_matcher(config::MatcherOutput::dustbin);
  const infer::Matcher other = untrained_matcher(config::MatcherOutput::dual_softmax);
  MatcherComparisonConfig config{
      .methods = methods({"network", "sinkhorn:20", "sinkhorn:0", "mutual", "assignment:0.2"}),
      .threshold = 0};
  const auto rows = compare_matchers(kPairs, network, {{"other", &other}}, config);
  config.workers = 3;
  const auto again = compare_matchers(kPairs, network, {{"other", &other}}, config);
  REQUIRE(rows.size() == 6);
  CHECK(rows[0].same == 1);
  CHECK(rows[0].plan_l1 == 0);
  CHECK(rows[1].plan_l1 == 0);  // the network's own 20 iterations
  CHECK(rows[2].plan_l1 > 0);
  CHECK(std::isnan(rows[3].plan_l1));
  CHECK(rows[3].counts.f1() > .9);  // little noise: nearest descriptors are right
  CHECK(rows[5].method == "other");
  for (std::size_t r = 0; r < rows.size(); ++r) {
    CHECK(rows[r].counts == again[r].counts);
    CHECK(rows[r].same == again[r].same);
    CHECK((rows[r].plan_l1 == again[r].plan_l1 || std::isnan(rows[r].plan_l1)));
  }
}

TEST_CASE("compiled methods are compared with the iterations of the teacher") {
  const infer::Matcher network = untrained_matcher(config::MatcherOutput::dustbin);
  // Closing the first row dual is one iteration of the loop.
  MatcherComparisonConfig config{
      .methods = methods({"teacher", "sinkhorn:40", "network", "sinkhorn:2", "compiled+1",
                          "compiled+sparse:39", "mutual"}),
      .teacher_iterations = 40,
      .map = attention::TransportMap{.weights = {1}},
      .threshold = 0};
  const auto rows = compare_matchers(kPairs, network, {}, config);
  CHECK(rows[0].same == 1);
  CHECK(rows[0].plan_l1 == 0);
  CHECK(rows[1].plan_l1 == 0);
  CHECK(rows[2].plan_l1 > 0);  // the network's own 20 iterations
  CHECK(rows[4].plan_l1 == doctest::Approx(rows[3].plan_l1).epsilon(1e-3));
  CHECK(rows[4].column_error == doctest::Approx(rows[3].column_error).epsilon(1e-3));
  CHECK(rows[5].plan_l1 < .01 + rows[5].dropped_mass * 4);
  CHECK(rows[5].entries_per_row > 0);
  CHECK(rows[5].entries_per_row <= 16);
  CHECK(rows[5].not_polished == 0);
  CHECK(std::isnan(rows[4].entries_per_row));
  CHECK(std::isnan(rows[6].column_error));
  CHECK(std::isnan(rows[6].layer_milliseconds));
  CHECK(rows[5].layer_milliseconds <= rows[5].milliseconds);
  config.methods = methods({"compiled+1"});
  CHECK(match_by(kPairs, network, config).size() == 4);
  config.map.reset();
  expect_error<base::UsageError>([&] { compare_matchers(kPairs, network, {}, config); },
                                 {"compiled+1", "`compiled` DIR"});
}

TEST_CASE("a matcher with dual softmax has no loops") {
  expect_error<base::UsageError>(
      [] {
        compare_matchers(kPairs, untrained_matcher(config::MatcherOutput::dual_softmax), {},
                         {.methods = methods({"sinkhorn:3"})});
      },
      {"sinkhorn:3", "dustbins"});
}
