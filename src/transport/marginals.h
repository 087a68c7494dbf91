#pragma once

#include "tensor/core/view.h"

namespace asap::transport {

/// How far a plan [N, M] is from having rows that sum to 1 and columns that sum to N / M.
struct MarginalErrors {
  double row_mean = 0;     ///< mean_i |sum_j A_ij - 1|
  double row_max = 0;      ///< largest of the same
  double column_mean = 0;  ///< mean_j |M/N sum_i A_ij - 1|
  double column_max = 0;   ///< largest of the same
};

/// plan: [N, M]
template <class T>
MarginalErrors marginal_errors(tensor::MatrixView<const T> plan);

/// How far columns are from what they may sum to: MarginalErrors::column_mean, or with slack c > 0,
/// whose columns may sum to less, mean_j max(0, M/N sum_i A_ij / (1 + c) - 1). plan: [N, M]
template <class T>
double column_error(tensor::MatrixView<const T> plan, double slack);

/// A_ij = exp(S_ij + f_i + g_j). scores, plan: [N, M], row_dual: [N], column_dual: [M]. `plan` may
/// be `scores`.
template <class T>
void plan_from_duals(tensor::MatrixView<const T> scores, tensor::VectorView<const T> row_dual,
                     tensor::VectorView<const T> column_dual, tensor::MatrixView<T> plan);

}  // namespace asap::transport
