#pragma once

#include <cstdint>

#include "tensor/core/tensor.h"

namespace asap::transport {

/// Directions on which queries and keys are projected before one-dimensional transport: slice l
/// sees s = a_l . x and t = b_l . y.
struct Slices {
  tensor::Tensor<double> query;  // a: [L, D]
  tensor::Tensor<double> key;    // b: [L, D]
};

/// Random directions, a = b: rows of random orthonormal bases (as many bases as L slices need), so
/// slices of one basis are orthogonal. A pure function of its arguments; `stream` separates layers
/// and heads. slices, width > 0; InternalError otherwise.
Slices random_slices(std::int64_t slices, std::int64_t width, std::uint64_t seed,
                     std::uint32_t stream);

/// Canonical directions of a pair of covariances A = E[x xᵀ], B = E[y yᵀ]: [D, D]. With A^½ B A^½ =
/// U Λ Uᵀ and Λ descending, a_l = A^-½ u_l λ_l^¼ and b_l = A^½ u_l λ_l^-¼, so that sum_l s_l t_l =
/// x . y when all L = D are kept, projections are uncorrelated across slices on both sides, and s_l
/// and t_l have the same variance √λ_l: the axes along which Gaussian optimal transport from x to y
/// is diagonal.
///
/// Directions in which queries do not vary are lifted to 1e-6 of the largest variance, and each
/// slice's sign makes the largest entry of a_l positive. L <= D.
/// InternalError when shapes do not fit.
Slices canonical_slices(tensor::MatrixView<const double> query_covariance,
                        tensor::MatrixView<const double> key_covariance, std::int64_t slices);

}  // namespace asap::transport
