#pragma once

#include <vector>

#include "attention/transport/transport_problem.h"

namespace asap::attention {

/// What sparse_polish() keeps and how long it iterates.
struct SparsePolish {
  double threshold = 1e-4;  ///< entries of the plan above it are kept
  int iterations = 100;     ///< K >= 0
};

/// A plan with dustbins that lacks small entries. N and M count all points of the problem; masked
/// ones have no entries.
template <class T>
struct SparsePlan {
  std::vector<std::int64_t> row_starts;  ///< [N + 1] where the entries of each point begin
  std::vector<std::int32_t> columns;     ///< of each entry, ascending within a row
  std::vector<T> entries;                ///< A_ij between points
  std::vector<T> row_bins;               ///< [N] A_ij into the dustbin
  std::vector<T> column_bins;            ///< [M] A_ij out of the dustbin
  T corner = T(0);                       ///< between the dustbins
};

/// What the entries that are not kept carried, and how far columns are from their marginals.
struct PolishEvidence {
  /// Every point and dustbin kept more than the threshold of its mass. If false, the duals are left
  /// as they came, and the plan is that of the kept entries.
  bool polished = false;
  double entries_per_row = 0;  ///< kept, dustbin column not counted
  /// Under the duals as they came: of a row, the share of its marginal that was dropped, to
  /// rounding; mean and largest over points.
  double dropped_mass = 0, most_dropped = 0;
  /// The same mean under the duals that come out, at most: every dropped entry of row i was
  /// multiplied by no more than u_i max_j v_j.
  double dropped_bound = 0;
  /// mean over points j of |sum_i A_ij / b_j - 1|, of the plan of kept entries.
  double column_error = 0;
};

/// Iterates on the entries of the plan that matter. `duals` are those of a plan whose rows sum to
/// their marginals, as every row update leaves them: of compiled_transport() or of a few
/// iterations. Entries above the threshold are kept by rows and by columns, those of the dustbins
/// all of them, and relative to the plan: scalings start at 1, so that nothing underflows. Then K
/// times a column and a row update, each of which costs as many products as entries are kept. The
/// duals become those of the last update, and rows of `plan` sum to their marginals exactly.
/// InternalError for a problem without dustbins or shapes that do not fit.
template <class T>
PolishEvidence sparse_polish(const TransportProblem<T>& problem, const SparsePolish& polish,
                             const TransportDuals<T>& duals, SparsePlan<T>& plan);

}  // namespace asap::attention
