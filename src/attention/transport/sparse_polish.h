#pragma once

#include "attention/transport/transport_problem.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// What sparse_polish() keeps and how long it iterates.
struct SparsePolish {
  double threshold = 1e-4;  ///< entries of the plan above it are kept
  int iterations = 100;     ///< K >= 0, at most
  /// Iterations end as soon as the column error is no larger. The default is less than half of what
  /// the default threshold drops of trained matchers' plans; 0: all K, unless the error vanishes.
  double tolerance = 1e-3;
};

/// A plan with dustbins that lacks small entries. N and M count all points of the problem; masked
/// ones have no entries. Lives in an arena.
template <class T>
struct SparsePlan {
  tensor::VectorView<const std::int64_t> row_starts;  ///< [N + 1] where each point's entries begin
  tensor::VectorView<const std::int32_t> columns;     ///< of each entry, ascending within a row
  tensor::VectorView<const T> entries;                ///< A_ij between points
  tensor::VectorView<const T> row_bins;               ///< [N] A_ij into the dustbin
  tensor::VectorView<const T> column_bins;            ///< [M] A_ij out of the dustbin
  T corner = T(0);                                    ///< between the dustbins
};

/// What the entries that are not kept carried, and how far columns are from their marginals.
struct PolishEvidence {
  /// Every point and dustbin kept more than the threshold of its mass. If false, the duals are left
  /// as they came, and the plan is that of the kept entries.
  bool polished = false;
  int iterations = 0;          ///< made, at most K
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
/// all of them, and relative to the plan: scalings start at 1, so that nothing underflows. Then,
/// until the column error is small enough and at most K times, a column and a row update, each of
/// which costs as many products as entries are kept; the sums behind a column update are the
/// column error of the plan before it. The duals become those of the last update, and rows of
/// `plan`, which lives in `arena`, sum to their marginals exactly.
/// InternalError for a problem without dustbins or shapes that do not fit.
template <class T>
PolishEvidence sparse_polish(const TransportProblem<T>& problem, const SparsePolish& polish,
                             const TransportDuals<T>& duals, SparsePlan<T>& plan,
                             tensor::Arena& arena);

}  // namespace asap::attention
