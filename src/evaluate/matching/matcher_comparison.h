#pragma once

#include <string>
#include <vector>

#include "data/keypoints/keypoint_pairs.h"
#include "evaluate/matching/matching_method.h"
#include "infer/match_pairs.h"
#include "io/json.h"

namespace asap::evaluate {

/// A trained matcher and what tables call it.
struct NamedMatcher {
  std::string name;
  const infer::Matcher* matcher = nullptr;
};

/// How one method does on one file of pairs.
struct MatchingRow {
  std::string method;
  infer::MatchCounts counts;  ///< zeros if the file has no matches
  /// Of the keypoints of image 0 that the method or the first network matches, the share with the
  /// same partner in both. 1 where neither matches any.
  double same = 0;
  /// Mean over keypoints of image 0 of the sum of |difference| to the first network's assignment,
  /// its dustbin included; NaN for methods without an assignment.
  double plan_l1 = 0;
  double milliseconds = 0;  ///< mean processor time of a pair, descriptors to matches
};

struct MatcherComparisonConfig {
  std::vector<MatchingMethod> methods;
  double threshold = infer::kMatchThreshold;  ///< least confidence of a network's match
  int threads = 1;
};

/// Compares the methods, then the other networks, with the first network. All networks must read
/// the descriptors of the file.
std::vector<MatchingRow> compare_matchers(const data::KeypointPairs& pairs,
                                          const infer::Matcher& network,
                                          const std::vector<NamedMatcher>& others,
                                          const MatcherComparisonConfig& config);

/// Matches of one method on all pairs.
std::vector<infer::Matches> match_by(const MatchingMethod& method, const data::KeypointPairs& pairs,
                                     const infer::Matcher& network, double threshold, int threads);

/// One line per match: pair,i,j,confidence, with a header; numbers from 0 as in the file.
std::string matches_as_csv(const std::vector<infer::Matches>& matches);
/// A list of {"pair", "i", "j", "confidence"}.
io::Json matches_as_json(const std::vector<infer::Matches>& matches);

}  // namespace asap::evaluate
