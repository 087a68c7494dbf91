#pragma once

#include <cstdint>
#include <span>

namespace asap::evaluate {

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

/// found, truth: [N] partners of the keypoints of image 0; negative without one, data::kAmbiguous
/// in the truth.
MatchCounts count_matches(std::span<const std::int32_t> found, std::span<const std::int32_t> truth);

}  // namespace asap::evaluate
