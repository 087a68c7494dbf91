#include "infer/match_threshold.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "support/keypoint_files.h"
#include "support/small_matcher.h"

using namespace asap;
using namespace asap::infer;
using namespace asap::test;

namespace {

data::KeypointPairs drawn(const DrawnKeypoints& what = {}) {
  return data::KeypointPairs::parse(drawn_keypoints(what), config::DescriptorKind::histogram);
}

/// Every keypoint of image 0 with a partner is matched: the first `wrong` of a pair to another one
/// with this confidence, the others rightly with .8.
std::vector<Matches> some_wrong(const data::KeypointPairs& pairs, int wrong, float confidence) {
  std::vector<Matches> all;
  for (std::int64_t p = 0; p < pairs.size(); ++p) {
    const auto truth = pairs.view(p, 0).matches;
    Matches matches = Matches::none(std::ssize(truth));
    int seen = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      if (truth[i] < 0) continue;
      const bool is_wrong = seen++ < wrong;
      matches.partners[i] = is_wrong ? (truth[i] + 1) % 2 : truth[i];
      if (is_wrong && matches.partners[i] == truth[i]) matches.partners[i] = truth[i] + 1;
      matches.confidences[i] = is_wrong ? confidence : .8F;
    }
    all.push_back(matches);
  }
  return all;
}

}  // namespace

TEST_CASE("the threshold with the largest F1 leaves out the wrong matches") {
  const data::KeypointPairs pairs = drawn();
  const MatchThreshold chosen = choose_threshold(some_wrong(pairs, 5, .304F), pairs);
  CHECK(chosen.threshold == .31);  // the least multiple of .01 above it
  CHECK(chosen.counts.precision() == 1);
  CHECK(chosen.counts.found == 4 * (12 - 5));
  CHECK(choose_threshold(some_wrong(pairs, 0, 0), pairs).threshold == 0);
}

TEST_CASE("a network's threshold is chosen on its own matches, at any number of threads alike") {
  const data::KeypointPairs pairs = drawn();
  const infer::Matcher matcher = untrained_matcher(config::MatcherOutput::dustbin);
  const MatchThreshold chosen = choose_threshold(matcher, pairs, 1);
  const auto at = [&](double threshold) {
    return count_all(match_pairs(matcher, pairs, matcher.own_solver(), threshold, 1), pairs).f1();
  };
  CHECK(chosen.counts.f1() == at(chosen.threshold));
  for (const double other : {0.0, .2, .4, .6}) CHECK(chosen.counts.f1() >= at(other));
  CHECK(choose_threshold(matcher, pairs, 3).threshold == chosen.threshold);
}

TEST_CASE("pairs without a true match choose no threshold") {
  const data::KeypointPairs pairs = drawn({.partners = 0});
  expect_error<base::DataError>([&] { choose_threshold(some_wrong(pairs, 0, 0), pairs); },
                                {"no true matches"});
}
