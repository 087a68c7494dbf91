#pragma once

#include "tensor/core/view.h"

namespace asap::attention {

// Row sums of a stored Gibbs kernel without the column sums that the sweeps of scaling_kernels.h
// take along, for loops that change the row scaling between the two. Float only, vectorised for the
// processor at run time. Matrices and vectors over columns are padded as there.

/// Factors of the columns, [padded m], and the row sums that they weigh, [n].
struct WeightedSums {
  tensor::VectorView<const float> factors;
  tensor::VectorView<float> sums;
};

/// S becomes K = exp(S + r + c) in place; for both pairs sums_i = sum_j K_ij factors_j.
void exponentiate_rows(tensor::MatrixView<float> scores, tensor::VectorView<const float> row_shift,
                       tensor::VectorView<const float> column_shift, const WeightedSums& first,
                       const WeightedSums& second);

/// sums_i = sum_j K_ij v_j. v: [padded m], sums: [n].
void row_sums(tensor::MatrixView<const float> gibbs, tensor::VectorView<const float> v,
              tensor::VectorView<float> sums);

}  // namespace asap::attention
