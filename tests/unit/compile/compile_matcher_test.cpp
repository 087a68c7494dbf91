#include "compile/compile_matcher.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "support/keypoint_files.h"
#include "support/small_matcher.h"

using namespace asap;
using namespace asap::compile;
using namespace asap::test;

namespace {

data::KeypointPairs drawn(const DrawnKeypoints& what) {
  return data::KeypointPairs::parse(drawn_keypoints(what), config::DescriptorKind::histogram);
}

CompiledMatcher compiled(const data::KeypointPairs& pairs, const MatcherCompileConfig& config) {
  return compile_matcher(untrained_matcher(config::MatcherOutput::dustbin), pairs, config,
                         [](std::int64_t, std::int64_t) {});
}

}  // namespace

TEST_CASE("the transport of a matcher is compiled alike at any number of threads") {
  const data::KeypointPairs pairs = drawn({.pairs = 12});
  std::int64_t done = 0, total = 0;
  const CompiledMatcher one =
      compile_matcher(untrained_matcher(config::MatcherOutput::dustbin), pairs, {.iterations = 30},
                      [&](std::int64_t d, std::int64_t t) { done = d, total = t; });
  CHECK(done == 12);
  CHECK(total == 12);
  CHECK(one.artefact.calibration_pairs == 8);
  CHECK(one.closed.problems() == 4);
  CHECK(one.points == 8 * 16);
  CHECK(one.artefact.teacher_iterations == 30);
  CHECK(one.artefact.model_fingerprint == "matcher");
  CHECK(one.closed.dual_r2() > .5);  // of an untrained network, from 128 points
  CHECK(one.iterated.plan_l1() <= one.closed.plan_l1());
  CHECK(one.artefact.evidence["compiled"]["plan_l1"] == one.closed.plan_l1());
  const CompiledMatcher three = compiled(pairs, {.iterations = 30, .threads = 3});
  CHECK(three.artefact.map.weights == one.artefact.map.weights);
  CHECK(three.artefact.evidence == one.artefact.evidence);
}

TEST_CASE("the teacher's iterations are the network's unless stated, the pairs as many as asked") {
  const CompiledMatcher model = compiled(drawn({.pairs = 5}), {.calibration = 4});
  CHECK(model.artefact.teacher_iterations == 20);
  CHECK(model.artefact.calibration_pairs == 4);
  CHECK(model.closed.problems() == 1);
}

TEST_CASE("what cannot be compiled is refused") {
  const data::KeypointPairs pairs = drawn({.pairs = 3});
  expect_error<base::UsageError>(
      [&] {
        compile_matcher(untrained_matcher(config::MatcherOutput::dual_softmax), pairs, {}, {});
      },
      {"dual softmax", "dustbin"});
  expect_error<base::DataError>([&] { compiled(drawn({.pairs = 1}), {}); },
                                {"pairs.npz", "1 pair ", "at least 2"});
  expect_error<base::DataError>([&] { compiled(drawn({.partners = 0, .alone = 0}), {}); },
                                {"0 pairs with keypoints in both images"});
  expect_error<base::DataError>([&] { compiled(pairs, {.calibration = 3}); },
                                {"`calibration` = 3", "at most 2"});
  expect_error<base::DataError>([&] { compiled(drawn({.width = 12}), {}); }, {"histogram of 12"});
}
