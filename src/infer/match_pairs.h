#pragma once

#include "data/keypoints/keypoint_sample.h"
#include "distributed/shared_items.h"
#include "infer/matcher.h"
#include "infer/matches.h"

namespace asap::infer {

/// Least confidence of a match, unless the user says otherwise: the round number near the best F1
/// of the trained networks on calibration pairs.
inline constexpr double kMatchThreshold = 0.4;

/// What a network says of one pair, of all its keypoints. `sample` is scratch; the scores live in
/// the arena.
MatcherScores score_pair(const Matcher& matcher, const data::KeypointPairs& pairs,
                         std::int64_t pair, data::KeypointSample& sample, tensor::Arena& arena);

/// Matches of a network on all pairs, on several threads and ranks; every rank gets all of them.
std::vector<Matches> match_pairs(const Matcher& matcher, const data::KeypointPairs& pairs,
                                 const TransportSolver& solver, double threshold,
                                 const distributed::Workers& workers);

/// How matches of all pairs compare with the truth of the file, which must have one.
MatchCounts count_all(const std::vector<Matches>& matches, const data::KeypointPairs& pairs);

/// DataError when the descriptors of a file are not those that the network reads.
void require_descriptors(const config::MatcherConfig& matcher, const data::KeypointPairs& pairs);

}  // namespace asap::infer
