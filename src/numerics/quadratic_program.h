#pragma once

#include <optional>
#include <vector>

#include "tensor/core/tensor.h"

namespace asap::numerics {

/// A linear constraint with few terms: sum_i factor_i x[variable_i] >= bound, or = bound.
struct LinearConstraint {
  struct Term {
    std::int64_t variable;
    double factor;
  };
  std::vector<Term> terms;
  double bound = 0;
  bool equality = false;
};

/// min xᵀ A x / 2 - bᵀ x over all x that meet the constraints, for a symmetric positive definite A:
/// [n, n] (lower triangle read). The dual active-set method of Goldfarb and Idnani ("A numerically
/// stable dual method for solving strictly convex quadratic programs", 1983): it starts from the
/// unconstrained minimum and adds the constraint that is violated most. Nothing when the
/// constraints contradict each other. NumericalError when A is not positive definite or the method
/// does not end.
std::optional<std::vector<double>> solve_quadratic_program(
    tensor::MatrixView<const double> a, tensor::VectorView<const double> b,
    const std::vector<LinearConstraint>& constraints);

}  // namespace asap::numerics
