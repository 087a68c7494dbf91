#include "infer/matches.h"

#include <algorithm>

#include "base/error.h"
#include "config/matcher_config.h"

namespace asap::infer {
namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

/// The row with the largest entry of each column.
std::vector<std::int32_t> best_rows(tensor::MatrixView<const float> values) {
  std::vector<std::int32_t> best(static_cast<std::size_t>(values.cols), 0);
  for (std::int64_t i = 1; i < values.rows; ++i)
    for (std::int64_t j = 0; j < values.cols; ++j)
      if (values(i, j) > values(best[j], j)) best[j] = static_cast<std::int32_t>(i);
  return best;
}

}  // namespace

Matches Matches::none(std::int64_t keypoints) {
  const auto count = static_cast<std::size_t>(keypoints);
  return {std::vector<std::int32_t>(count, config::kNoPartner), std::vector<float>(count, 0)};
}

Matches decode_plan(tensor::MatrixView<const float> plan, double threshold) {
  Matches matches = Matches::none(plan.rows);
  if (plan.cols == 0) return matches;
  const std::vector<std::int32_t> rows = best_rows(plan);
  for (std::int64_t i = 0; i < plan.rows; ++i) {
    const auto row = plan.row(i);
    const auto best = std::ranges::max_element(row);
    const auto j = static_cast<std::int32_t>(best - row.begin());
    if (rows[j] != i || !(*best > threshold)) continue;
    matches.partners[i] = j;
    matches.confidences[i] = *best;
  }
  return matches;
}

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
    if (found[i] < 0 || truth[i] == config::kAmbiguous) continue;
    ++counts.found;
    if (found[i] == truth[i]) ++counts.right;
  }
  return counts;
}

}  // namespace asap::infer
