#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/matcher_config.h"

namespace asap::evaluate {

/// One way to match the keypoints of a pair:
///   network        the trained matcher
///   teacher        the same scores, the iterations of the transport that others are compared with
///   sinkhorn:K     the same scores, K iterations
///   compiled       the same scores, the compiled transport; compiled+K: then K iterations
///   compiled+sparse:K   then K iterations on the entries of its plan above 1e-4
///   mutual         mutual nearest descriptors
///   ratio:R        those whose distance is less than R times that to the second nearest; R = .8
///   assignment:S   linear assignment, pairs with a similarity above S; S = .91
struct MatchingMethod {
  enum class Kind { network, teacher, sinkhorn, compiled, sparse, mutual, ratio, assignment };
  Kind kind = Kind::network;
  int iterations = 0;  ///< K
  double limit = 0;    ///< R or S

  /// UsageError for an unknown name.
  static MatchingMethod parse(const std::string& name);
  std::string name() const;
  bool reads_scores() const { return kind <= Kind::sparse; }
  bool is_compiled() const { return kind == Kind::compiled || kind == Kind::sparse; }
  /// Whether it needs a matcher with dustbins.
  bool needs_transport() const { return kind == Kind::sinkhorn || is_compiled(); }
};

/// Lowe's ratio, and the similarity with which assignment does best on moderate views of SIFT
/// keypoints within a point of F1.
inline constexpr double kDefaultRatio = 0.8;
inline constexpr double kDefaultSimilarity = 0.91;

/// What asap-eval compare compares unless told otherwise: the network, the classical methods, with
/// dustbins loops of fewer and more iterations, and with an operator what it computes.
std::vector<std::string> default_matching_methods(const config::MatcherConfig& matcher,
                                                  bool with_operator);

}  // namespace asap::evaluate
