#pragma once

#include <functional>

#include "compile/transport_artefact.h"
#include "compile/transport_fit.h"
#include "infer/match_pairs.h"

namespace asap::compile {

/// What the transport of a matcher is fitted on: the first pairs of a file. The last ones, at most
/// kMostHeldOut, are measured on.
struct MatcherCompileConfig {
  static constexpr std::int64_t kMostCalibration = 256, kMostHeldOut = 64;
  /// Pairs to fit on; 0: two thirds of the file, at most kMostCalibration.
  std::int64_t calibration = 0;
  int iterations = 0;  ///< T of the teacher; 0: that of the network
  int threads = 1;
};

/// A compiled transport, and how near it gets to the teacher on pairs that no fit has seen.
struct CompiledMatcher {
  TransportArtefact artefact;
  TransportFitEvidence closed = {};    ///< compiled
  TransportFitEvidence iterated = {};  ///< compiled+1
  std::int64_t points = 0;             ///< keypoints that were fitted on
};

/// Pairs done, pairs in all.
using MatcherProgress = std::function<void(std::int64_t, std::int64_t)>;

/// Fits the dual map of the matcher's transport to the scores of its own network. The same for any
/// number of threads. UsageError for a network with dual softmax or a teacher that does not
/// iterate, DataError when a pair to fit on or one to measure on is missing; pairs with an image
/// without keypoints do not count. NumericalError when scores are not finite.
CompiledMatcher compile_matcher(const infer::Matcher& matcher, const data::KeypointPairs& pairs,
                                const MatcherCompileConfig& config,
                                const MatcherProgress& progress);

/// {"pairs", "dual_r2", "compiled", "compiled+1": {"plan_l1", "column_error"}}
io::Json evidence_json(const CompiledMatcher& model);

}  // namespace asap::compile
