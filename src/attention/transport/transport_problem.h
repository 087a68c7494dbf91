#pragma once

#include <optional>

#include "tensor/core/view.h"

namespace asap::attention {

/// Transport between two weighted sets, perhaps with a dustbin for what has no partner: the output
/// layer of matching networks (Sarlin et al. 2020, "SuperGlue", section 3.2; without a dustbin
/// Cuturi 2013). For scores S and marginals a, b the plan is exp(S_ij + f_i + g_j) with
///
///   f_i = log a_i - log sum_j exp(S_ij + g_j)      row update
///   g_j = log b_j - log sum_i exp(S_ij + f_i)      column update
///
/// from g = 0: one row update, then T times (column, row). Rows sum to a exactly; columns sum to b
/// in the limit, if a and b have the same total.
///
/// A row or column of weight zero is masked: everything else is as if it were not there. T is float
/// or double.
template <class T>
struct TransportProblem {
  /// S without the dustbins, [N, M]; finite, except where masked.
  tensor::MatrixView<const T> scores;
  /// The score of the dustbin row and column that follow those of `scores`, if there are any.
  std::optional<T> bin = std::nullopt;
  tensor::VectorView<const T> row_marginals;     ///< a: [rows()], >= 0
  tensor::VectorView<const T> column_marginals;  ///< b: [columns()], >= 0

  std::int64_t rows() const { return scores.rows + (bin ? 1 : 0); }
  std::int64_t columns() const { return scores.cols + (bin ? 1 : 0); }
  /// S_ij, dustbins included.
  T score(std::int64_t i, std::int64_t j) const {
    return i < scores.rows && j < scores.cols ? scores(i, j) : *bin;
  }
};

/// The marginals of a problem with dustbins in which every point has mass 1 and a dustbin holds all
/// points of the other set: a = (1, .., 1, M), b = (1, .., 1, N). row_marginals: [N + 1],
/// column_marginals: [M + 1].
template <class T>
void dustbin_marginals(tensor::VectorView<T> row_marginals, tensor::VectorView<T> column_marginals);

/// f and g, or their gradients. rows: [rows()], columns: [columns()].
template <class T>
struct TransportDuals {
  tensor::VectorView<T> rows;
  tensor::VectorView<T> columns;
};

/// log of the plan, S_ij + f_i + g_j, -infinity where masked. out: [rows(), columns()].
template <class T>
void log_transport_plan(const TransportProblem<T>& problem, const TransportDuals<const T>& duals,
                        tensor::MatrixView<T> out);

}  // namespace asap::attention
