#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/keypoints/keypoint_pairs.h"
#include "distributed/shared_items.h"
#include "evaluate/matching/matching_method.h"
#include "infer/match_pairs.h"

namespace asap::evaluate {

/// A trained matcher and what tables call it.
struct NamedMatcher {
  std::string name;
  const infer::Matcher* matcher = nullptr;
  double threshold = infer::kMatchThreshold;  ///< least confidence of a match
};

/// How one method does on one file of pairs.
struct MatchingRow {
  std::string method;
  infer::MatchCounts counts;  ///< zeros if the file has no matches
  /// Of the keypoints of image 0 that the method or the teacher matches, the share with the same
  /// partner in both. 1 where neither matches any.
  double same = 0;
  /// Mean over keypoints of image 0 of the sum of |difference| to the teacher's assignment, its
  /// dustbin included; NaN for methods without an assignment.
  double plan_l1 = 0;
  double milliseconds = 0;  ///< mean processor time of a pair, descriptors to matches
  /// Of this the layer's, scores to assignment; NaN for methods without an assignment.
  double layer_milliseconds = 0;
  /// Mean over pairs of the mean over keypoints j of image 1 of |sum_i A_ij - 1|, dustbin included;
  /// NaN for methods without transport.
  double column_error = 0;
  /// Of a sparse polish, means over pairs, else NaN: entries that it keeps per keypoint of image 0,
  /// and the share of a row that it drops.
  double entries_per_row = 0, dropped_mass = 0;
  double polish_iterations = 0;   ///< made by it, mean over pairs; NaN without
  std::int64_t not_polished = 0;  ///< pairs in which it had to iterate on all entries
};

struct MatcherComparisonConfig {
  std::vector<MatchingMethod> methods;
  int teacher_iterations = 0;  ///< T of the teacher; 0: those of the first network
  /// For the methods that are compiled.
  std::optional<attention::TransportMap> map = std::nullopt;
  double threshold = infer::kMatchThreshold;  ///< least confidence of the first network's match
  distributed::Workers workers = 1;
};

/// Compares the methods, then the other networks, with the teacher: the scores of the first network
/// and T iterations. All networks must read the descriptors of the file. UsageError for methods
/// that need dustbins or an operator which are not there. The pairs are shared out to threads and
/// ranks; every rank gets all rows.
std::vector<MatchingRow> compare_matchers(const data::KeypointPairs& pairs,
                                          const infer::Matcher& network,
                                          const std::vector<NamedMatcher>& others,
                                          const MatcherComparisonConfig& config);

/// Matches of the only method of `config` on all pairs.
std::vector<infer::Matches> match_by(const data::KeypointPairs& pairs,
                                     const infer::Matcher& network,
                                     const MatcherComparisonConfig& config);

}  // namespace asap::evaluate
