#pragma once

#include "attention/tiled/gibbs_sweep.h"

namespace asap::attention {

/// Attention with the plan that closes a row dual f̂ known beforehand: K = 2^(x . y + f̂),
///   c_j = 1 / sum_i K_ij,  output_i = sum_j K_ij c_j V_j / sum_j K_ij c_j.
/// c_j depends on column j alone, so keys are processed in groups, all queries against one group:
/// K is computed once, its columns normalised, and the values multiplied while the group's part of
/// K is in cache. Two matrix products and O(N D) memory, as of softmax attention.
///
/// options.threads threads share the rows of a group in chunks that do not depend on their number,
/// and the sums of chunks are added in order, so the result does not depend on it either.
/// options.storage is ignored. row_dual: f̂ in base 2, [at least n]; output: [n, Dv].
///
/// No row or column maximum is known: f̂ is shifted by a bound of x . y + f̂ so that nothing can
/// overflow. Returns false, with an undefined output, if so much underflowed by that shift
/// that entries of the plan may have been lost (more than 2^-30 of a row or column), or if
/// something was not finite. row_error: receives the return value of bounded_compiled_attention;
/// may be null.
bool apply_closed_row_dual(const TiledHead& head, tensor::VectorView<const float> row_dual,
                           tensor::MatrixView<const float> values, const SweepOptions& options,
                           tensor::MatrixView<float> output, tensor::Arena& scratch,
                           double* row_error = nullptr);

}  // namespace asap::attention
