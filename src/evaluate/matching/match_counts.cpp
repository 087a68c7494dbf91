#include "evaluate/matching/match_counts.h"

#include "base/error.h"
#include "data/keypoints/keypoint_pairs.h"

namespace asap::evaluate {
namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

double MatchCounts::precision() const {
  return ratio(static_cast<double>(right), static_cast<double>(found));
}

double MatchCounts::recall() const {
  return ratio(static_cast<double>(right), static_cast<double>(truth));
}

double MatchCounts::f1() const {
  return ratio(2 * static_cast<double>(right), static_cast<double>(found + truth));
}

MatchCounts& MatchCounts::operator+=(const MatchCounts& other) {
  right += other.right;
  found += other.found;
  truth += other.truth;
  return *this;
}

MatchCounts count_matches(std::span<const std::int32_t> found,
                          std::span<const std::int32_t> truth) {
  base::check(found.size() == truth.size(), "count_matches: one truth per keypoint");
  MatchCounts counts;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (truth[i] >= 0) ++counts.truth;
    if (found[i] < 0 || truth[i] == data::kAmbiguous) continue;
    ++counts.found;
    if (found[i] == truth[i]) ++counts.right;
  }
  return counts;
}

}  // namespace asap::evaluate
