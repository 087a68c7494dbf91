#include "infer/match_threshold.h"

#include "base/error.h"

namespace asap::infer {
namespace {

/// Without the matches whose confidence is not above the threshold.
std::vector<Matches> above(std::vector<Matches> matches, double threshold) {
  for (Matches& of_pair : matches)
    for (std::size_t i = 0; i < of_pair.partners.size(); ++i)
      if (!(static_cast<double>(of_pair.confidences[i]) > threshold)) of_pair.partners[i] = -1;
  return matches;
}

}  // namespace

MatchThreshold choose_threshold(const std::vector<Matches>& matches,
                                const data::KeypointPairs& pairs) {
  if (!pairs.has_matches() || pairs.match_count() == 0)
    throw base::DataError(pairs.source() + ": no true matches, by which to choose a threshold",
                          "name a file of pairs with matches0, other than the test pairs");
  MatchThreshold best{.threshold = 0, .counts = count_all(matches, pairs)};
  for (int step = 1; step < 100; ++step) {
    const double threshold = step / 100.0;
    const MatchCounts counts = count_all(above(matches, threshold), pairs);
    if (counts.f1() > best.counts.f1()) best = {threshold, counts};
  }
  return best;
}

MatchThreshold choose_threshold(const Matcher& matcher, const data::KeypointPairs& pairs,
                                const distributed::Workers& workers) {
  return choose_threshold(match_pairs(matcher, pairs, matcher.own_solver(), 0, workers), pairs);
}

}  // namespace asap::infer
