#include "numerics/quadratic_program.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/random.h"
#include "numerics/dense_solvers.h"

namespace asap::test {
namespace {

using numerics::LinearConstraint;

struct Problem {
  tensor::Tensor<double> a;
  std::vector<double> b;
  std::vector<LinearConstraint> constraints;

  double value(const LinearConstraint& constraint, const std::vector<double>& x) const {
    double sum = -constraint.bound;
    for (const auto& term : constraint.terms) sum += term.factor * x[term.variable];
    return sum;
  }
  double objective(const std::vector<double>& x) const {
    double sum = 0;
    const auto n = static_cast<std::int64_t>(b.size());
    for (std::int64_t i = 0; i < n; ++i) {
      sum -= b[i] * x[i];
      for (std::int64_t j = 0; j < n; ++j) sum += 0.5 * x[i] * a.rows()(i, j) * x[j];
    }
    return sum;
  }
};

Problem drawn(base::RandomStream& random, std::int64_t n, int constraints) {
  Problem problem{tensor::Tensor<double>({n, n}), std::vector<double>(n), {}};
  tensor::Tensor<double> rows({n + 2, n});
  for (double& value : rows.flat()) value = random.normal();
  for (std::int64_t p = 0; p < n; ++p) {
    problem.b[p] = 3 * random.normal();
    for (std::int64_t q = 0; q < n; ++q)
      for (std::int64_t i = 0; i < n + 2; ++i)
        problem.a.rows()(p, q) += rows.rows()(i, p) * rows.rows()(i, q);
  }
  for (int c = 0; c < constraints; ++c) {
    LinearConstraint constraint;
    for (std::int64_t p = 0; p < n; ++p) constraint.terms.push_back({p, random.normal()});
    constraint.bound = random.normal();
    constraint.equality = c == 0;
    problem.constraints.push_back(constraint);
  }
  return problem;
}

/// The least objective over all sets of constraints that may hold with equality; infinity when no
/// point meets all.
double exhaustive(const Problem& problem) {
  const auto n = static_cast<std::int64_t>(problem.b.size());
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t set = 0; set < 1u << problem.constraints.size(); ++set) {
    std::vector<const LinearConstraint*> active;
    for (std::size_t c = 0; c < problem.constraints.size(); ++c)
      if (set >> c & 1) active.push_back(&problem.constraints[c]);
    const auto size = n + static_cast<std::int64_t>(active.size());
    if (size > 2 * n) continue;
    tensor::Tensor<double> system({size, size}), solution({size});
    std::vector<double> right(problem.b);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j) system.rows()(i, j) = problem.a.rows()(i, j);
    for (std::size_t c = 0; c < active.size(); ++c) {
      for (const auto& term : active[c]->terms) {
        system.rows()(n + static_cast<std::int64_t>(c), term.variable) = term.factor;
        system.rows()(term.variable, n + static_cast<std::int64_t>(c)) = term.factor;
      }
      right.push_back(active[c]->bound);
    }
    numerics::solve_least_squares(system.rows(), right, solution.flat());
    const std::vector<double> x(solution.data(), solution.data() + n);
    bool feasible = true;
    for (const LinearConstraint& constraint : problem.constraints) {
      const double value = problem.value(constraint, x);
      feasible = feasible && value > -1e-8 && (!constraint.equality || value < 1e-8);
    }
    if (feasible) least = std::min(least, problem.objective(x));
  }
  return least;
}

TEST_CASE("a quadratic program has the least value of all sets of active constraints") {
  base::RandomStream random(5, base::RandomPurpose::test);
  int feasible = 0, contradicting = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const Problem problem = drawn(random, 3, 1 + trial % 8);
    const double least = exhaustive(problem);
    const auto x =
        numerics::solve_quadratic_program(problem.a.rows(), problem.b, problem.constraints);
    REQUIRE(x.has_value() == std::isfinite(least));
    ++(x ? feasible : contradicting);
    if (!x) continue;
    CHECK(problem.objective(*x) == doctest::Approx(least).epsilon(1e-9));
    for (const LinearConstraint& constraint : problem.constraints) {
      // Numbers of size one to ten, and rounding.
      CHECK(problem.value(constraint, *x) > -1e-11);
      if (constraint.equality) CHECK(problem.value(constraint, *x) < 1e-11);
    }
  }
  CHECK(feasible > 20);
  CHECK(contradicting > 3);
}

TEST_CASE("repeated and opposite constraints are no contradiction, crossed ones are") {
  Problem problem{tensor::Tensor<double>({2, 2}), {1, 1}, {}};
  problem.a[0] = problem.a[3] = 1;
  const LinearConstraint above{{{0, 1}, {1, 1}}, 4, false};
  const LinearConstraint below{{{0, -2}, {1, -2}}, -8, false};
  problem.constraints = {above, above, below, {{{0, 1}}, 0.5, false}};
  const auto x =
      numerics::solve_quadratic_program(problem.a.rows(), problem.b, problem.constraints);
  REQUIRE(x);
  CHECK((*x)[0] == doctest::Approx(2));
  CHECK((*x)[1] == doctest::Approx(2));
  problem.constraints = {above, {{{0, -1}, {1, -1}}, -3, false}};
  CHECK_FALSE(numerics::solve_quadratic_program(problem.a.rows(), problem.b, problem.constraints));
  problem.constraints = {{{}, 1, false}};
  CHECK_FALSE(numerics::solve_quadratic_program(problem.a.rows(), problem.b, problem.constraints));
  problem.a[0] = -1;
  CHECK_THROWS_AS(numerics::solve_quadratic_program(problem.a.rows(), problem.b, {}),
                  base::NumericalError);
}

}  // namespace
}  // namespace asap::test
