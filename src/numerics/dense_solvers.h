#pragma once

#include <vector>

#include "tensor/core/tensor.h"

namespace asap::numerics {

/// Small dense linear algebra in float64, for fits, calibrations and Levenberg-Marquardt steps.
/// InternalError when shapes do not fit.

/// Solves (A + diagonal) x = b for a symmetric positive definite A: [n, n] (lower triangle read) by
/// a Cholesky factorisation. Returns false, leaving x untouched, when the matrix is not positive
/// definite.
bool solve_positive_definite(tensor::MatrixView<const double> a,
                             tensor::VectorView<const double> diagonal,
                             tensor::VectorView<const double> b, tensor::VectorView<double> x);

/// Lower triangle (and some of the upper) of A Aᵀ for A: [n, m] into out: [n, n], with the
/// vectorised matrix product.
void gram_lower(tensor::MatrixView<const double> a, tensor::MatrixView<double> out);

/// Least squares min |A x - b|, A: [m, n], by a column-pivoted QR; the minimum-norm solution where
/// A does not have full rank.
void solve_least_squares(tensor::MatrixView<const double> a, tensor::VectorView<const double> b,
                         tensor::VectorView<double> x);

/// Eigen decomposition of a symmetric matrix: A = U diag(values) Uᵀ, values ascending, U: [n, n]
/// with eigenvectors as columns.
struct SymmetricEigen {
  std::vector<double> values;
  tensor::Tensor<double> vectors;
};
SymmetricEigen symmetric_eigen(tensor::MatrixView<const double> a);

/// Replaces the rows of A: [m, n], m <= n, by the orthonormal basis of Gram-Schmidt (through QR).
void orthonormalise_rows(tensor::MatrixView<double> a);

}  // namespace asap::numerics
