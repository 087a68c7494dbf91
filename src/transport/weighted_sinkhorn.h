#pragma once

#include <limits>
#include <vector>

#include "tensor/core/view.h"

namespace asap::transport {

/// Entropic transport between any two weighted sets: the plan A_ij = exp(S_ij + f_i + g_j) that
/// maximises sum_ij A_ij (S_ij + 1 - log A_ij) with row sums a and column sums b (Cuturi 2013). All
/// quantities are in units of the regularisation: for costs C and POT's `reg`, S = -C / reg.
struct WeightedTransport {
  /// No relaxation: the sums are fixed.
  static constexpr double kExact = std::numeric_limits<double>::infinity();

  tensor::MatrixView<const double> scores;            ///< S: [N, M]; finite, except where masked
  tensor::VectorView<const double> row_marginals;     ///< a: [N], >= 0; 0 masks the row
  tensor::VectorView<const double> column_marginals;  ///< b: [M], >= 0; 0 masks the column
  /// rho >= 0: row sums may leave a at the cost rho KL(sums || a), likewise columns: unbalanced
  /// transport (Chizat et al. 2018, "Scaling algorithms"). POT's reg_m / reg.
  double row_relaxation = kExact;
  double column_relaxation = kExact;
};

/// When the iterations end.
struct StoppingRule {
  int iterations = 10000;  ///< T at most
  double tolerance = 0;    ///< or when no row dual changes by more; 0: never
};

/// Duals with what is known of them. -infinity where masked.
struct WeightedDuals {
  std::vector<double> rows;     ///< f: [N]
  std::vector<double> columns;  ///< g: [M]
  int iterations = 0;           ///< done
  double change = 0;            ///< largest change of a row dual in the last iteration
  bool converged = false;       ///< change <= tolerance
};

/// Sinkhorn's algorithm in the log domain, the reference of faster forms: from g = 0 one row
/// update, then T times (column, row), with
///
///   f_i = rho / (1 + rho) (log a_i - log sum_j exp(S_ij + g_j)),    factor 1 for kExact,
///
/// and g likewise. DataError for marginals that are negative, not finite, or, where both sides are
/// exact, of different totals; UsageError for a negative relaxation; InternalError for shapes.
WeightedDuals weighted_sinkhorn(const WeightedTransport& problem, const StoppingRule& stop);

/// The plan of duals, zero where masked. plan: [N, M]
void weighted_plan(const WeightedTransport& problem, const WeightedDuals& duals,
                   tensor::MatrixView<double> plan);

/// How far the sums of a plan are from the marginals, which relaxed sums may well be.
struct WeightedErrors {
  double rows = 0;     ///< largest |sum_j A_ij - a_i|
  double columns = 0;  ///< largest |sum_i A_ij - b_j|
};
WeightedErrors weighted_errors(const WeightedTransport& problem,
                               tensor::MatrixView<const double> plan);

}  // namespace asap::transport
