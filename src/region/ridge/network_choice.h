#pragma once

#include <optional>
#include <vector>

#include "region/ridge/ridge_splines.h"

namespace asap::region {

/// How sure it is that `b` is better than `a` on rows: see sureness_of().
double sureness(const ReluNetwork& a, const ReluNetwork& b, const Rows& rows);

/// Whether rows lie outside the interval of some ridge, which even and normal rows never do.
bool has_tails(const RidgeSum& sum);

/// Networks whose raw weights were fitted, and what they are judged by.
struct NetworkChoice {
  const Rows& training;
  const Rows& validation;
  const ReluNetwork& folded;  ///< with which the fits began
  const RidgeSum& sum;        ///< its ends are straight

  /// The network with the least error on the validation rows, of those that are better than the
  /// folded one there by a standard error and stay near the sum just outside the training rows: on
  /// rows moved away from the middle by a quarter of their distance from it, and on the outermost
  /// rows along every input and every ridge, moved along it by half of theirs. Nothing if there is
  /// none.
  /// If none holds outside, the best of those that stay nearer to the sum than zero is on the rows
  /// moved away from the middle, if its error is less than a tenth of the folded network's.
  ///
  /// Where a direction has long tails, rows to predict lie far outside: of all networks that
  /// explain nearly as much as the best, the one nearest to their median there is chosen, because
  /// most fits agree where they are right.
  std::optional<std::size_t> best_of(const std::vector<ReluNetwork>& networks) const;

 private:
  /// The squared distance from the sum on rows, as a part of the sum's own squares.
  double distance_from_sum(const ReluNetwork& network, const Rows& rows) const;
  bool holds_around(const ReluNetwork& network, double allowed) const;
  bool holds_outside(const ReluNetwork& network) const;
  std::size_t nearest_to_median(const std::vector<ReluNetwork>& networks,
                                const std::vector<std::size_t>& candidates) const;
};

}  // namespace asap::region
