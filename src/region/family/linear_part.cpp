#include "region/family/linear_part.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "numerics/dense_solvers.h"

namespace asap::region {
namespace {

constexpr double kRidge = 1e-11;

/// Normal equations of one window. Unknowns: the changes of [left value, right value, scales...].
struct WindowEquations {
  tensor::Tensor<double> gram;    // [2 + scales, 2 + scales]
  tensor::Tensor<double> moment;  // [2 + scales]
  tensor::Tensor<double>
      response;  // [3, scales]: scales = response(0) - response(1) left - response(2) right
};

void accumulate(WindowEquations& equations, std::span<const double> row, double residual,
                double weight) {
  const auto size = static_cast<std::int64_t>(row.size());
  for (std::int64_t p = 0; p < size; ++p) {
    const double weighted = weight * row[p];
    equations.moment[p] += weighted * residual;
    for (std::int64_t q = 0; q <= p; ++q) equations.gram[p * size + q] += weighted * row[q];
  }
}

std::vector<WindowEquations> gather(const FoldedFunction& function, const Samples& samples) {
  const auto size = static_cast<std::int64_t>(function.windows.front().scales.size()) + 2;
  std::vector<WindowEquations> all(function.windows.size());
  for (WindowEquations& equations : all) {
    equations.gram = tensor::Tensor<double>({size, size});
    equations.moment = tensor::Tensor<double>({size});
  }
  std::vector<double> row(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    const std::size_t j = function.window_at(samples.x[i]);
    const FoldedWindow& window = function.windows[j];
    const double t =
        (samples.x[i] - function.nodes[j]) / (function.nodes[j + 1] - function.nodes[j]);
    row[0] = 1 - t;
    row[1] = t;
    window.basis(t, std::span(row).subspan(2));
    double value = row[0] * function.values[j] + row[1] * function.values[j + 1];
    for (std::size_t k = 0; k < window.scales.size(); ++k) value += window.scales[k] * row[k + 2];
    accumulate(all[j], row, samples.y[i] - value, samples.weight_at(i));
  }
  return all;
}

/// Expresses the scales by the node values and leaves the 2 x 2 equations of the node values in the
/// corner of gram and moment.
void eliminate_scales(WindowEquations& equations, double largest) {
  const std::int64_t size = equations.moment.size(), count = size - 2;
  tensor::MatrixView<double> gram = equations.gram.rows();
  for (std::int64_t p = 0; p < size; ++p)
    for (std::int64_t q = p + 1; q < size; ++q) gram(p, q) = gram(q, p);
  equations.response = tensor::Tensor<double>({3, count});
  if (count == 0) return;
  std::vector<double> ridge(static_cast<std::size_t>(count)), right(ridge.size());
  for (std::int64_t k = 0; k < count; ++k)
    ridge[k] = kRidge * std::max(gram(k + 2, k + 2), 1e-3 * largest);
  for (int column = 0; column < 3; ++column) {
    for (std::int64_t k = 0; k < count; ++k)
      right[k] = column == 0 ? equations.moment[k + 2] : gram(k + 2, column - 1);
    if (!numerics::solve_positive_definite(gram.block(2, 2, count, count), ridge, right,
                                           equations.response.rows().row(column)))
      throw base::NumericalError("least squares for the scales of a folded function failed",
                                 "use a smaller depth or more samples");
  }
  for (int a = 0; a < 2; ++a) {
    for (std::int64_t k = 0; k < count; ++k) {
      equations.moment[a] -= gram(a, k + 2) * equations.response[k];
      for (int b = 0; b < 2; ++b)
        gram(a, b) -= gram(a, k + 2) * equations.response.rows()(1 + b, k);
    }
  }
}

/// Changes of the node values: solves the tridiagonal equations of all windows, from the left.
std::vector<double> solve_nodes(const std::vector<WindowEquations>& all, double ridge) {
  const std::size_t nodes = all.size() + 1;
  std::vector<double> diagonal(nodes, ridge), off(nodes, 0.0), right(nodes, 0.0);
  for (std::size_t j = 0; j < all.size(); ++j) {
    const tensor::MatrixView<const double> gram = all[j].gram.rows();
    diagonal[j] += gram(0, 0);
    diagonal[j + 1] += gram(1, 1);
    off[j] = gram(1, 0);
    right[j] += all[j].moment[0];
    right[j + 1] += all[j].moment[1];
  }
  for (std::size_t j = 0; j + 1 < nodes; ++j) {
    const double factor = off[j] / diagonal[j];
    diagonal[j + 1] -= factor * off[j];
    right[j + 1] -= factor * right[j];
  }
  std::vector<double> change(nodes);
  for (std::size_t j = nodes; j-- > 0;) {
    const double later = j + 1 < nodes ? off[j] * change[j + 1] : 0;
    change[j] = (right[j] - later) / diagonal[j];
  }
  return change;
}

}  // namespace

void fit_linear_part(FoldedFunction& function, const Samples& samples) {
  std::vector<WindowEquations> all = gather(function, samples);
  double largest = 0;
  for (const WindowEquations& equations : all)
    largest = std::max({largest, equations.gram.rows()(0, 0), equations.gram.rows()(1, 1)});
  for (WindowEquations& equations : all) eliminate_scales(equations, largest);
  const std::vector<double> change = solve_nodes(all, kRidge * largest);
  for (std::size_t j = 0; j < all.size(); ++j) {
    const tensor::MatrixView<const double> response = all[j].response.rows();
    std::vector<double>& scales = function.windows[j].scales;
    for (std::int64_t k = 0; k < response.cols; ++k)
      scales[k] += response(0, k) - response(1, k) * change[j] - response(2, k) * change[j + 1];
  }
  for (std::size_t j = 0; j < change.size(); ++j) {
    if (!std::isfinite(change[j]))
      throw base::NumericalError("least squares for the node values of a folded function failed");
    function.values[j] += change[j];
  }
}

}  // namespace asap::region
