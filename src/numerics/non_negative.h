#pragma once

#include <vector>

#include "tensor/core/view.h"

namespace asap::numerics {

/// min xᵀ A x / 2 - bᵀ x over x >= 0 for a symmetric positive semidefinite A: [n, n] (both
/// triangles), by the active-set method of Lawson and Hanson ("Solving least squares problems",
/// 1974, chapter 23) on the normal equations. NumericalError when it does not converge.
std::vector<double> solve_non_negative(tensor::MatrixView<const double> a,
                                       tensor::VectorView<const double> b);

}  // namespace asap::numerics
