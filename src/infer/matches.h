#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/core/view.h"

namespace asap::infer {

/// Matches of one pair: for each keypoint of image 0 the partner in image 1, or -1, and how sure
/// the method is of it (0 without a partner). What a confidence means depends on the method.
struct Matches {
  std::vector<std::int32_t> partners;  ///< [N]
  std::vector<float> confidences;      ///< [N]

  /// No partner for any of the keypoints.
  static Matches none(std::int64_t keypoints);
};

/// Mutual largest entries of an assignment above `threshold`; the first of equal entries wins.
/// plan: [N, M], without dustbins. Confidence: the entry.
Matches decode_plan(tensor::MatrixView<const float> plan, double threshold);

/// How found matches compare with the true ones, summed over pairs. Matches of keypoints of image
/// 0 that are ambiguous are left out.
struct MatchCounts {
  std::int64_t right = 0;  ///< found and true
  std::int64_t found = 0;
  std::int64_t truth = 0;

  /// 0 when nothing is found, or nothing true.
  double precision() const;
  double recall() const;
  double f1() const;  ///< harmonic mean of both

  MatchCounts& operator+=(const MatchCounts& other);
  friend bool operator==(const MatchCounts&, const MatchCounts&) = default;
};

/// found, truth: [N] partners of the keypoints of image 0; negative without one, config::kAmbiguous
/// in the truth.
MatchCounts count_matches(std::span<const std::int32_t> found, std::span<const std::int32_t> truth);

}  // namespace asap::infer
