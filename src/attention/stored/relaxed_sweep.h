#pragma once

#include "tensor/core/view.h"

namespace asap::attention {

/// The row duals of a loop that relaxes its iterations, in base 2, each up to the shift of its row.
struct RelaxedDual {
  tensor::VectorView<float> dual;         ///< f_(t-1), overwritten with f_t: [n]
  tensor::MatrixView<float> differences;  ///< d_1 .. d_(t-1) in its rows, to which d_t is added
};

/// The row update of relaxed iteration t and the sums of the next column update, in one pass over a
/// stored Gibbs kernel (see scaling_kernels.h):
///   h_i = -log2 sum_j K_ij v_j,  d_t = h - f_(t-1),  f_t = h + sum_s weights_s d_s,
///   u_i = 2^(f_t)_i,  column_sum_j = sum_i u_i K_ij.
/// weights: [t]; v and column_sum: [padded m]; u: [n]. Float only, vectorised for the processor at
/// run time.
void relaxed_sweep(tensor::MatrixView<const float> gibbs, tensor::VectorView<const float> v,
                   tensor::VectorView<const float> weights, const RelaxedDual& rows,
                   tensor::VectorView<float> u, tensor::VectorView<float> column_sum);

}  // namespace asap::attention
