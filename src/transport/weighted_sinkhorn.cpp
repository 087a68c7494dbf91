#include "transport/weighted_sinkhorn.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/text.h"

namespace asap::transport {
namespace {

constexpr double kNothing = -std::numeric_limits<double>::infinity();

/// Totals that differ by no more than rounding in float are equal.
constexpr double kTotalTolerance = 1e-6;

void check_marginals(tensor::VectorView<const double> marginals, const std::string& side) {
  for (std::size_t i = 0; i < marginals.size(); ++i)
    if (!(marginals[i] >= 0) || !std::isfinite(marginals[i]))
      throw base::DataError("marginal " + std::to_string(i) + " of the " + side + " is " +
                                base::format_number(marginals[i]) + ", not a finite number >= 0",
                            "0 masks a row or column");
}

void check_relaxation(double relaxation, const std::string& field) {
  if (!(relaxation >= 0))
    throw base::UsageError(
        "`" + field + "` is " + base::format_number(relaxation) + ", not a number >= 0",
        "infinity fixes the sums, 0 frees them");
}

void check_problem(const WeightedTransport& problem) {
  base::check(std::ssize(problem.row_marginals) == problem.scores.rows &&
                  std::ssize(problem.column_marginals) == problem.scores.cols,
              "weighted_sinkhorn: shapes do not fit");
  check_marginals(problem.row_marginals, "rows");
  check_marginals(problem.column_marginals, "columns");
  check_relaxation(problem.row_relaxation, "row_relaxation");
  check_relaxation(problem.column_relaxation, "column_relaxation");
  const auto total = [](tensor::VectorView<const double> marginals) {
    return std::accumulate(marginals.begin(), marginals.end(), 0.0);
  };
  const double a = total(problem.row_marginals), b = total(problem.column_marginals);
  if (std::isinf(problem.row_relaxation) && std::isinf(problem.column_relaxation) &&
      std::abs(a - b) > kTotalTolerance * std::max(a, b))
    throw base::DataError("the marginals of the rows sum to " + base::format_number(a) +
                              ", those of the columns to " + base::format_number(b),
                          "make the totals equal, or relax one side: `row_relaxation`, "
                          "`column_relaxation`");
}

double factor(double relaxation) {
  return std::isinf(relaxation) ? 1 : relaxation / (1 + relaxation);
}

/// rho / (1 + rho) (log mass - log sum exp terms), without the terms that are kNothing.
double updated(double mass, double factor, const std::vector<double>& terms) {
  if (mass == 0) return kNothing;
  const double top = terms.empty() ? kNothing : *std::ranges::max_element(terms);
  if (top == kNothing) return 0;  // nothing to pair with
  double sum = 0;
  for (const double term : terms) sum += std::exp(term - top);
  return factor * (std::log(mass) - top - std::log(sum));
}

double exponent(double score, double dual) { return dual == kNothing ? kNothing : score + dual; }

void update_rows(const WeightedTransport& problem, WeightedDuals& duals) {
  const double rho = factor(problem.row_relaxation);
  std::vector<double> terms(duals.columns.size());
  double change = 0;
  for (std::int64_t i = 0; i < problem.scores.rows; ++i) {
    for (std::int64_t j = 0; j < problem.scores.cols; ++j)
      terms[j] = exponent(problem.scores(i, j), duals.columns[j]);
    const double next = updated(problem.row_marginals[i], rho, terms);
    if (next != kNothing) change = std::max(change, std::abs(next - duals.rows[i]));
    duals.rows[i] = next;
  }
  duals.change = change;
}

void update_columns(const WeightedTransport& problem, WeightedDuals& duals) {
  const double rho = factor(problem.column_relaxation);
  std::vector<double> terms(duals.rows.size());
  for (std::int64_t j = 0; j < problem.scores.cols; ++j) {
    for (std::int64_t i = 0; i < problem.scores.rows; ++i)
      terms[i] = exponent(problem.scores(i, j), duals.rows[i]);
    duals.columns[j] = updated(problem.column_marginals[j], rho, terms);
  }
}

}  // namespace

WeightedDuals weighted_sinkhorn(const WeightedTransport& problem, const StoppingRule& stop) {
  check_problem(problem);
  WeightedDuals duals;
  duals.rows.assign(problem.row_marginals.size(), 0);
  duals.columns.assign(problem.column_marginals.size(), 0);
  for (std::size_t j = 0; j < duals.columns.size(); ++j)
    if (problem.column_marginals[j] == 0) duals.columns[j] = kNothing;
  update_rows(problem, duals);
  while (duals.iterations < stop.iterations && !duals.converged) {
    update_columns(problem, duals);
    update_rows(problem, duals);
    ++duals.iterations;
    duals.converged = stop.tolerance > 0 && duals.change <= stop.tolerance;
  }
  return duals;
}

void weighted_plan(const WeightedTransport& problem, const WeightedDuals& duals,
                   tensor::MatrixView<double> plan) {
  base::check(plan.rows == problem.scores.rows && plan.cols == problem.scores.cols,
              "weighted_plan: shapes do not fit");
  for (std::int64_t i = 0; i < plan.rows; ++i)
    for (std::int64_t j = 0; j < plan.cols; ++j)
      plan(i, j) = duals.rows[i] == kNothing || duals.columns[j] == kNothing
                       ? 0
                       : std::exp(problem.scores(i, j) + duals.rows[i] + duals.columns[j]);
}

WeightedErrors weighted_errors(const WeightedTransport& problem,
                               tensor::MatrixView<const double> plan) {
  WeightedErrors errors;
  std::vector<double> columns(problem.column_marginals.begin(), problem.column_marginals.end());
  for (std::int64_t i = 0; i < plan.rows; ++i) {
    double left = problem.row_marginals[i];
    for (std::int64_t j = 0; j < plan.cols; ++j) {
      left -= plan(i, j);
      columns[j] -= plan(i, j);
    }
    errors.rows = std::max(errors.rows, std::abs(left));
  }
  for (const double left : columns) errors.columns = std::max(errors.columns, std::abs(left));
  return errors;
}

}  // namespace asap::transport
