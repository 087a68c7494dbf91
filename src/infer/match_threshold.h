#pragma once

#include "infer/match_pairs.h"

namespace asap::infer {

/// A least confidence of matches and how it does on the pairs that it was chosen on.
struct MatchThreshold {
  double threshold = kMatchThreshold;
  MatchCounts counts;
};

/// The multiple of .01 below 1 with the largest F1 on these pairs, the first of equal ones.
/// Networks with dustbins and with dual softmax need thresholds of their own, because their
/// confidences mean different things. Never choose it on the pairs that a comparison reports.
/// DataError for pairs without a true match, and as match_pairs(). The same for any number of
/// threads and ranks.
MatchThreshold choose_threshold(const Matcher& matcher, const data::KeypointPairs& pairs,
                                const distributed::Workers& workers);

/// The same for matches of any confidence, of all pairs.
MatchThreshold choose_threshold(const std::vector<Matches>& matches,
                                const data::KeypointPairs& pairs);

}  // namespace asap::infer
