// Fits that are convex or concave, and monotone, by construction (shape_fit of windowed_fit.h).

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/counted.h"
#include "base/error.h"
#include "numerics/non_negative.h"
#include "region/family/spline.h"
#include "region/fit/pieces_fit.h"
#include "region/fit/points_shape.h"
#include "region/fit/unit_scaling.h"
#include "region/fit/windowed_fit.h"
#include "region/pieces/piecewise_network.h"

namespace asap::region {
namespace {

/// Convexity and monotonicity of a target.
struct TargetShape {
  bool concave = false;
  bool increasing = false, decreasing = false;
  bool monotone() const { return increasing || decreasing; }
  /// The cone holds convex functions that increase if they are monotone. Whether the target, with
  /// its sign made convex, must be mirrored in x to be one.
  bool mirrored() const { return concave ? increasing : decreasing; }
};

base::UsageError bends_both_ways(const Target& unit) {
  return base::UsageError(
      "`keep_shape`: '" + unit.name + "' is neither convex nor concave on the interval",
      "leave `keep_shape` out, or choose a part of the interval");
}

/// The shape of a target that is known exactly.
TargetShape exact_shape(const Target& unit) {
  constexpr int kCells = 512;
  const auto f = [&](int i) { return unit.curve(static_cast<double>(i) / kCells); };
  double up = 0, down = 0, rise = 0, fall = 0;
  for (int i = 0; i < kCells; ++i) {
    const double step = f(i + 1) - f(i);
    (step > 0 ? rise : fall) += std::abs(step);
    if (i == 0) continue;
    const double change = f(i + 1) - 2 * f(i) + f(i - 1);
    (change > 0 ? up : down) += std::abs(change);
  }
  if (std::min(up, down) > 1e-6 * std::max(up, down)) throw bends_both_ways(unit);
  return {down > up, fall <= 1e-9 * rise, rise <= 1e-9 * fall};
}

/// A convex building block, zero before its node and straight after its window: tents of a window,
/// or relu(u - node).
struct Block {
  std::size_t window = 0;
  std::vector<double> scales;  // of the window's tents; empty: relu(u - nodes[window])
  double left = 0, right = 0;  // slopes removed at the ends of the window, in t
};

/// For every level k, the convex function with the tents of level k and as much of the levels above
/// as makes slopes meet at their corners; these functions span the whole cone. With A_i = s_i +
/// A_{i+1} / a_{i+1}, slopes meet at the corners of level i when s_i = A_{i+1} / (1 - a_{i+1}).
std::vector<Block> blocks_of_window(const FoldedWindow& window, std::size_t index) {
  std::vector<Block> blocks;
  const auto peak = [&](int i) { return window.pieces[static_cast<std::size_t>(i)][0]; };
  for (int level = 0; level < window.depth(); ++level) {
    Block block;
    block.window = index;
    block.scales.assign(window.scales.size(), 0.0);
    double later = 1;
    block.scales[static_cast<std::size_t>(level)] = -1;
    for (int i = level - 1; i >= 0; --i) {
      const double scale = later / (1 - peak(i + 1));
      block.scales[static_cast<std::size_t>(i)] = -scale;
      later = scale + later / peak(i + 1);
    }
    block.left = later / peak(0);
    block.right = later / (1 - peak(0));
    blocks.push_back(std::move(block));
  }
  return blocks;
}

double evaluate(const FoldedFunction& grid, const Block& block, double u) {
  const double start = grid.nodes[block.window];
  if (u <= start) return 0;
  if (block.scales.empty()) return u - start;
  const double t = (u - start) / (grid.nodes[block.window + 1] - start);
  if (t >= 1) return block.left + (block.left + block.right) * (t - 1);
  std::vector<double> basis(block.scales.size());
  grid.windows[block.window].basis(t, basis);
  double value = block.left * t;
  for (std::size_t k = 0; k < basis.size(); ++k) value += block.scales[k] * basis[k];
  return value;
}

/// Columns: 1, -1, u, -u (the last only if the function need not be monotone), then the blocks.
std::vector<double> design_row(const FoldedFunction& grid, const std::vector<Block>& blocks,
                               bool monotone, double u) {
  std::vector<double> row{1, -1, u, monotone ? 0 : -u};
  for (const Block& block : blocks) row.push_back(evaluate(grid, block, u));
  return row;
}

/// Normal equations of the cone's columns. Returns the weighted sum of squares of y.
double gather(const FoldedFunction& grid, const std::vector<Block>& blocks, const Samples& samples,
              bool monotone, tensor::Tensor<double>& normal, std::vector<double>& right) {
  const auto count = static_cast<std::int64_t>(right.size());
  double squares = 0;
  for (std::int64_t i = 0; i < samples.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::vector<double> row = design_row(grid, blocks, monotone, samples.x[at]);
    squares += samples.weight_at(i) * samples.y[at] * samples.y[at];
    for (std::int64_t p = 0; p < count; ++p) {
      const double weighted = samples.weight_at(i) * row[p];
      if (weighted == 0) continue;
      right[p] += weighted * samples.y[at];
      for (std::int64_t q = 0; q < count; ++q) normal.rows()(p, q) += weighted * row[q];
    }
  }
  return squares;
}

/// Least squares over the cone; writes the function into `grid`. Returns the weighted sum of
/// squared residuals.
double fit_cone(FoldedFunction& grid, const Samples& samples, bool monotone) {
  std::vector<Block> blocks;
  for (std::size_t j = 0; j < grid.windows.size(); ++j) {
    if (j > 0) blocks.push_back({j, {}, 0, 0});
    for (Block& block : blocks_of_window(grid.windows[j], j)) blocks.push_back(std::move(block));
  }
  const auto count = static_cast<std::int64_t>(blocks.size()) + 4;
  tensor::Tensor<double> normal({count, count});
  std::vector<double> right(static_cast<std::size_t>(count));
  double cost = gather(grid, blocks, samples, monotone, normal, right);
  const std::vector<double> solution = numerics::solve_non_negative(normal.rows(), right);
  for (std::int64_t p = 0; p < count; ++p) {
    cost -= 2 * solution[p] * right[p];
    for (std::int64_t q = 0; q < count; ++q)
      cost += solution[p] * solution[q] * normal.rows()(p, q);
  }
  for (std::size_t k = 0; k < grid.nodes.size(); ++k) {
    const std::vector<double> row = design_row(grid, blocks, monotone, grid.nodes[k]);
    grid.values[k] = 0;
    for (std::int64_t p = 0; p < count; ++p) grid.values[k] += solution[p] * row[p];
  }
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    std::vector<double>& scales = grid.windows[blocks[b].window].scales;
    for (std::size_t k = 0; k < blocks[b].scales.size(); ++k)
      scales[k] += solution[b + 4] * blocks[b].scales[k];
  }
  return cost;
}

Samples mirrored(Samples samples) {
  for (double& x : samples.x) x = 1 - x;
  for (auto* column : {&samples.x, &samples.y, &samples.weight})
    std::reverse(column->begin(), column->end());
  return samples;
}

/// F(1 - u).
FoldedFunction mirrored(FoldedFunction function) {
  for (double& node : function.nodes) node = 1 - node;
  std::reverse(function.nodes.begin(), function.nodes.end());
  std::reverse(function.values.begin(), function.values.end());
  std::reverse(function.windows.begin(), function.windows.end());
  for (FoldedWindow& window : function.windows)
    std::reverse(window.pieces[0].begin(), window.pieces[0].end());
  return function;
}

/// The best function of a shape and its weighted sum of squared residuals.
struct ShapeFit {
  TargetShape shape;
  FoldedFunction function;
  double cost = std::numeric_limits<double>::infinity();
};

ShapeFit fit_with_shape(const Target& unit, const Samples& samples, const TargetShape& shape,
                        int depth, int windows) {
  const double sign = shape.concave ? -1 : 1;
  const bool mirror = shape.mirrored();
  Samples seen = mirror ? mirrored(samples) : samples;
  for (double& y : seen.y) y *= sign;
  const numerics::Curve guide = [&](double u) { return sign * unit.curve(mirror ? 1 - u : u); };
  ShapeFit fit{shape, curvature_folding(guide, {0, 1}, depth, 2, windows)};
  fit.cost = fit_cone(fit.function, seen, shape.monotone());
  if (mirror) fit.function = mirrored(std::move(fit.function));
  for (double& value : fit.function.values) value *= sign;
  for (FoldedWindow& window : fit.function.windows)
    for (double& scale : window.scales) scale *= sign;
  return fit;
}

/// Noisy points do not show their shape, so all six shapes are tried. A monotone one is taken if it
/// costs no more than its missing freedom would save on noise alone.
ShapeFit fit_noisy(const Target& unit, int depth, int windows) {
  const Samples samples = bin_samples(unit.samples, 2000);
  ShapeFit best;
  double least = best.cost;
  for (const bool concave : {false, true}) {
    for (const int direction : {0, 1, 2}) {
      ShapeFit fit =
          fit_with_shape(unit, samples, {concave, direction == 1, direction == 2}, depth, windows);
      const double cost = fit.cost + (direction == 0 ? 4 * unit.noise_variance : 0);
      if (cost >= least) continue;
      least = cost;
      best = std::move(fit);
    }
  }
  const double bins = static_cast<double>(samples.size());
  if (samples.size() > 100 && best.cost > unit.noise_variance * (bins + 8 * std::sqrt(2 * bins)))
    throw bends_both_ways(unit);
  return best;
}

std::string shape_words(const Shape& shape) {
  std::string words = shape.convex && shape.concave ? "straight"
                      : shape.concave               ? "concave"
                                                    : "convex";
  if (shape.increasing && shape.decreasing) return "constant";
  if (shape.increasing) words += ", increasing";
  if (shape.decreasing) words += ", decreasing";
  return words;
}

Fit straight_fit(const PiecewiseLinear& function, const Shape& shape) {
  Fit fit;
  fit.network = to_network(function);
  fit.description = shape_words(shape) + ", " + base::counted(function.pieces(), "straight piece");
  return fit;
}

/// Points that lie on one straight line: the line, level if they rise and fall.
Fit line_fit(const Target& target, const Shape& shape) {
  PiecewiseLinear line = best_piecewise(target.samples, 1).function;
  if (shape.increasing && shape.decreasing) {
    const double middle = 0.5 * line.y[0] + 0.5 * line.y[1];
    line.y = {middle, middle};
  }
  return straight_fit(line, shape);
}

double error_at_points(const ReluNetwork& network, const Samples& points) {
  std::vector<double> prediction(points.x.size());
  network.evaluate(points.x, prediction);
  return mean_squared_error(points, prediction);
}

/// Exact or rounded points: free knots where these have the shape of the points, or the cone.
Fit fit_points(const Target& target, const UnitScaling& scaling, const Target& unit, int depth,
               int windows) {
  const Shape shape = shape_of(target.samples);
  if (!shape.convex && !shape.concave) throw bends_both_ways(unit);
  if (shape.convex && shape.concave) return line_fit(target, shape);
  const ShapeFit cone = fit_with_shape(
      unit, bin_samples(unit.samples, 2000),
      {shape.concave, shape.increasing, !shape.increasing && shape.decreasing}, depth, windows);
  Fit best;
  best.folded = scaling.unscaled(cone.function);
  best.network = to_network(*best.folded, Ends::continued);
  best.description = shape_words(shape) + " by construction, " + base::counted(windows, "window");
  double least = error_at_points(best.network, target.samples);
  for (const PiecewiseFit& pieces : searched_pieces(target, kMostSearchedPieces)) {
    if (!includes(shape_of(pieces.function), shape)) continue;
    Fit trial = straight_fit(pieces.function, shape);
    const double error = error_at_points(trial.network, target.samples);
    if (!(error < least)) continue;
    least = error;
    best = std::move(trial);
  }
  return best;
}

}  // namespace

Fit shape_fit(const Target& target, int depth, int windows) {
  check_size(depth, 2, windows);
  constexpr int kMostWindows = 64;  // the active-set method works on dense equations
  if (windows > kMostWindows)
    throw base::UsageError("`windows` " + std::to_string(windows) + " with `keep_shape`: at most " +
                           std::to_string(kMostWindows));
  const UnitScaling scaling(target);
  const Target unit = scaling.scaled(target);
  if (!unit.truth && unit.noise_variance == 0)
    return fit_points(target, scaling, unit, depth, windows);
  const ShapeFit best = unit.noise_variance > 0
                            ? fit_noisy(unit, depth, windows)
                            : fit_with_shape(unit, even_samples(unit.curve, {0, 1}, 8001),
                                             exact_shape(unit), depth, windows);
  Fit fit;
  fit.folded = scaling.unscaled(best.function);
  fit.network = to_network(*fit.folded, Ends::continued);
  fit.description = std::string(best.shape.concave ? "concave" : "convex") +
                    (best.shape.increasing ? ", increasing" : "") +
                    (best.shape.decreasing ? ", decreasing" : "") + " by construction, " +
                    base::counted(windows, "window");
  return fit;
}

}  // namespace asap::region
