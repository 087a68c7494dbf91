#include "numerics/non_negative.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "numerics/dense_solvers.h"

namespace asap::numerics {
namespace {

/// The unconstrained minimum over the variables in `active`, zero elsewhere.
std::vector<double> solve_active(tensor::MatrixView<const double> a,
                                 tensor::VectorView<const double> b,
                                 const std::vector<std::int64_t>& active) {
  const auto count = static_cast<std::int64_t>(active.size());
  tensor::Tensor<double> part({count, count});
  std::vector<double> right, ridge, solution(active.size());
  for (std::int64_t p = 0; p < count; ++p) {
    for (std::int64_t q = 0; q < count; ++q) part.rows()(p, q) = a(active[p], active[q]);
    right.push_back(b[active[p]]);
    ridge.push_back(1e-13 * a(active[p], active[p]));
  }
  if (!solve_positive_definite(part.rows(), ridge, right, solution))
    throw base::NumericalError(
        "non-negative least squares: the active columns depend on each other");
  std::vector<double> x(b.size(), 0.0);
  for (std::int64_t p = 0; p < count; ++p) x[active[p]] = solution[p];
  return x;
}

}  // namespace

std::vector<double> solve_non_negative(tensor::MatrixView<const double> a,
                                       tensor::VectorView<const double> b) {
  const auto count = static_cast<std::int64_t>(b.size());
  std::vector<double> x(b.size(), 0.0);
  std::vector<std::int64_t> active;
  const auto is_active = [&](std::int64_t p) {
    return std::find(active.begin(), active.end(), p) != active.end();
  };
  for (int round = 0; round < 10 * static_cast<int>(count) + 10; ++round) {
    // The variable along which the objective falls fastest, for its own scale.
    std::int64_t entering = -1;
    double steepest = 1e-11;
    for (std::int64_t p = 0; p < count; ++p) {
      if (is_active(p) || !(a(p, p) > 0)) continue;
      double descent = b[p], size = std::abs(b[p]);
      for (const std::int64_t q : active) {
        descent -= a(p, q) * x[q];
        size += std::abs(a(p, q) * x[q]);
      }
      if (descent > steepest * size) {
        steepest = descent / size;
        entering = p;
      }
    }
    if (entering < 0) return x;
    active.push_back(entering);
    for (;;) {
      const std::vector<double> trial = solve_active(a, b, active);
      // Go towards the trial point until the first variable would become negative; that one leaves.
      double part = 1;
      std::int64_t leaving = -1;
      for (const std::int64_t p : active) {
        if (trial[p] > 0) continue;
        const double reach = x[p] / (x[p] - trial[p]);
        if (leaving >= 0 && reach >= part) continue;
        part = reach;
        leaving = p;
      }
      if (leaving < 0) {
        x = trial;
        break;
      }
      for (const std::int64_t p : active) x[p] += part * (trial[p] - x[p]);
      std::erase_if(active, [&](std::int64_t p) {
        const bool leaves = p == leaving || x[p] <= 0;
        if (leaves) x[p] = 0;
        return leaves;
      });
      if (active.empty()) break;
    }
  }
  throw base::NumericalError("non-negative least squares did not end");
}

}  // namespace asap::numerics
