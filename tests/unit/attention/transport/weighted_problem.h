#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "attention/transport/transport_layer.h"
#include "support/kernel_operands.h"

namespace asap::test {

/// Scores, marginals and a dustbin's score, and the log of the plan by plain loops in double.
template <class T>
struct WeightedProblem {
  tensor::Tensor<T> scores;
  std::vector<T> rows, columns;
  std::optional<T> bin;

  attention::TransportProblem<T> view() const {
    // TensorView::rows() would lose the rows of a matrix without columns.
    return {{scores.data(), scores.shape()[0], scores.shape()[1]}, bin, rows, columns};
  }

  /// [rows * columns]
  std::vector<double> log_plan(int iterations) const {
    const auto problem = view();
    const std::int64_t n = problem.rows(), m = problem.columns();
    const auto s = [&](std::int64_t i, std::int64_t j) { return double(problem.score(i, j)); };
    std::vector<double> f(n), g(m, 0.0);
    // Largest exponents are taken out, so that the loops are right for any scores.
    const auto update = [](std::int64_t count, double mass, const auto& term, const auto& live) {
      if (!(mass > 0)) return -std::numeric_limits<double>::infinity();
      double top = -std::numeric_limits<double>::infinity(), sum = 0;
      for (std::int64_t k = 0; k < count; ++k)
        if (live(k)) top = std::max(top, term(k));
      for (std::int64_t k = 0; k < count; ++k)
        if (live(k)) sum += std::exp(term(k) - top);
      return std::log(mass) - top - std::log(sum);
    };
    const auto row_update = [&] {
      for (std::int64_t i = 0; i < n; ++i)
        f[i] = update(
            m, rows[i], [&](std::int64_t j) { return s(i, j) + g[j]; },
            [&](std::int64_t j) { return columns[j] > 0; });
    };
    row_update();
    for (int t = 0; t < iterations; ++t) {
      for (std::int64_t j = 0; j < m; ++j)
        g[j] = update(
            n, columns[j], [&](std::int64_t i) { return s(i, j) + f[i]; },
            [&](std::int64_t i) { return rows[i] > 0; });
      row_update();
    }
    std::vector<double> plan;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < m; ++j)
        plan.push_back(rows[i] > 0 && columns[j] > 0 ? s(i, j) + f[i] + g[j]
                                                     : -std::numeric_limits<double>::infinity());
    return plan;
  }
};

/// n x m normal scores times `deviation` and a dustbin.
template <class T>
WeightedProblem<T> dustbin_problem(std::int64_t n, std::int64_t m, T deviation) {
  WeightedProblem<T> problem{random_tensor<T>({n, m}, 3, deviation), std::vector<T>(n + 1),
                             std::vector<T>(m + 1), T(0.7)};
  attention::dustbin_marginals<T>(problem.rows, problem.columns);
  return problem;
}

/// n x m normal scores times `deviation` and unequal weights of total 1 each.
template <class T>
WeightedProblem<T> weighted_problem(std::int64_t n, std::int64_t m, T deviation) {
  WeightedProblem<T> problem{random_tensor<T>({n, m}, 5, deviation), std::vector<T>(n),
                             std::vector<T>(m), std::nullopt};
  for (std::int64_t i = 0; i < n; ++i) problem.rows[i] = T(2 * (i + 1)) / T(n * (n + 1));
  for (std::int64_t j = 0; j < m; ++j) problem.columns[j] = T(2 * (m - j)) / T(m * (m + 1));
  return problem;
}

/// What transport() and log_transport_plan() make of it.
template <class T>
struct TransportAnswer {
  std::vector<T> log_plan;  // [rows * columns]
  bool log_domain;
};

template <class T>
TransportAnswer<T> answer(const WeightedProblem<T>& problem, int iterations) {
  const auto view = problem.view();
  tensor::Arena arena;
  const attention::TransportDuals<T> duals{arena.vector<T>(view.rows()),
                                           arena.vector<T>(view.columns())};
  const auto state = attention::transport<T>(view, iterations, duals, arena);
  std::vector<T> plan(static_cast<std::size_t>(view.rows() * view.columns()));
  attention::log_transport_plan<T>(view, {duals.rows, duals.columns},
                                   {plan.data(), view.rows(), view.columns()});
  return {plan, state.log_domain};
}

}  // namespace asap::test
