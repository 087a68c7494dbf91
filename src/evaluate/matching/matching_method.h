#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/matcher_config.h"

namespace asap::evaluate {

/// One way to match the keypoints of a pair:
///   network        the trained matcher
///   sinkhorn:K     the same scores, K iterations of the transport instead of the trained number
///   mutual         mutual nearest descriptors
///   ratio:R        those whose distance is less than R times that to the second nearest; R = .8
///   assignment:S   linear assignment, pairs with a similarity above S; S = .91
struct MatchingMethod {
  enum class Kind { network, sinkhorn, mutual, ratio, assignment };
  Kind kind = Kind::network;
  int iterations = 0;  ///< of sinkhorn
  double limit = 0;    ///< R or S

  /// UsageError for an unknown name.
  static MatchingMethod parse(const std::string& name);
  std::string name() const;
  bool reads_scores() const { return kind == Kind::network || kind == Kind::sinkhorn; }
};

/// Lowe's ratio, and the similarity with which assignment does best on moderate views of SIFT
/// keypoints within a point of F1.
inline constexpr double kDefaultRatio = 0.8;
inline constexpr double kDefaultSimilarity = 0.91;

/// What asap-eval compare compares unless told otherwise: the network, the classical methods and,
/// with dustbins, loops of fewer and more iterations.
std::vector<std::string> default_matching_methods(const config::MatcherConfig& matcher);

}  // namespace asap::evaluate
