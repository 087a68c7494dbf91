#include "region/family/curvature.h"

#include <algorithm>
#include <cmath>

namespace asap::region {
namespace {

/// Changes of slope of f at the inner points of an even grid over the interval, [cells - 1].
std::vector<double> slope_changes(const numerics::Curve& f, numerics::Interval interval,
                                  int cells) {
  std::vector<double> values;
  for (int i = 0; i <= cells; ++i) values.push_back(f(interval.at(static_cast<double>(i) / cells)));
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  std::vector<double> changes;
  for (int i = 1; i < cells; ++i) {
    const double change = values[i + 1] - 2 * values[i] + values[i - 1];
    // A change that rounding of the values can cause is not curvature.
    changes.push_back(std::abs(change) <= 4e-16 * largest ? 0 : std::abs(change));
  }
  return changes;
}

/// The u in [low, 1] with increasing(u) = value, given increasing(low) <= value; 1 if the value is
/// not reached.
template <class Increasing>
double solve_increasing(double low, double value, const Increasing& increasing) {
  if (increasing(1.0) <= value) return 1;
  double high = 1;
  for (int step = 0; step < 40; ++step) {
    const double middle = 0.5 * (low + high);
    (increasing(middle) < value ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

CurvatureProfile::CurvatureProfile(const numerics::Curve& f, numerics::Interval interval, int cells)
    : cumulative_(static_cast<std::size_t>(cells) + 1) {
  const std::vector<double> changes = slope_changes(f, interval, cells);
  // Half of the change at an inner point belongs to the cell before it and half to the cell after.
  for (int cell = 0; cell < cells; ++cell) {
    const double before = changes[std::max(cell - 1, 0)],
                 after = changes[std::min(cell, cells - 2)];
    cumulative_[cell + 1] = cumulative_[cell] + 0.5 * (before + after);
  }
  normalise();
}

void CurvatureProfile::normalise() {
  const double total = cumulative_.back();
  const auto cells = static_cast<double>(cumulative_.size() - 1);
  // A thousandth is spread evenly, so every stretch of the interval has mass.
  constexpr double kEven = 1e-3;
  for (std::size_t i = 0; i < cumulative_.size(); ++i) {
    const double even = static_cast<double>(i) / cells;
    cumulative_[i] = total > 0 ? (1 - kEven) * cumulative_[i] / total + kEven * even : even;
  }
}

double CurvatureProfile::cumulative(double u) const {
  const auto cells = static_cast<double>(cumulative_.size() - 1);
  const double place = std::clamp(u, 0.0, 1.0) * cells;
  const std::size_t cell = std::min(static_cast<std::size_t>(place), cumulative_.size() - 2);
  const double part = place - static_cast<double>(cell);
  return (1 - part) * cumulative_[cell] + part * cumulative_[cell + 1];
}

std::vector<double> CurvatureProfile::equal_pieces(int fold) const {
  if (fold == 2) {
    const double peak = solve_increasing(0, 1, [&](double u) { return u + cumulative(u); });
    return {peak, 1 - peak};
  }
  // From the left, each piece ends where length * mass reaches `product`. Bisection finds the
  // product for which the last piece ends at 1.
  std::vector<double> pieces(static_cast<std::size_t>(fold));
  const auto lay_out = [&](double product) {
    double start = 0;
    for (int k = 0; k + 1 < fold; ++k) {
      const double mass = cumulative(start);
      const double end = solve_increasing(
          start, product, [&](double u) { return (u - start) * (cumulative(u) - mass); });
      pieces[k] = end - start;
      start = end;
    }
    pieces[fold - 1] = 1 - start;
    return (1 - start) * (1 - cumulative(start));
  };
  double low = 0, high = 1;
  for (int step = 0; step < 40; ++step) {
    const double product = 0.5 * (low + high);
    (lay_out(product) > product ? low : high) = product;
  }
  lay_out(low);
  return pieces;
}

CurvatureProfile CurvatureProfile::folded(const std::vector<double>& pieces) const {
  CurvatureProfile result;
  result.cumulative_.resize(cumulative_.size());
  const auto cells = static_cast<double>(cumulative_.size() - 1);
  for (std::size_t i = 0; i < cumulative_.size(); ++i) {
    const double w = static_cast<double>(i) / cells;
    double start = 0, mass = 0;
    for (std::size_t k = 0; k < pieces.size(); ++k) {
      const double end = start + pieces[k];
      mass += pieces[k] * (k % 2 == 0 ? cumulative(start + w * pieces[k]) - cumulative(start)
                                      : cumulative(end) - cumulative(end - w * pieces[k]));
      start = end;
    }
    result.cumulative_[i] = mass;
  }
  const double total = result.cumulative_.back();
  for (double& value : result.cumulative_) value /= total;
  return result;
}

FoldedWindow fold_by_curvature(const numerics::Curve& f, numerics::Interval interval, int depth,
                               int fold, int cells) {
  CurvatureProfile profile(f, interval, cells);
  FoldedWindow window;
  for (int i = 0; i < depth; ++i) {
    window.pieces.push_back(profile.equal_pieces(fold));
    profile = profile.folded(window.pieces.back());
  }
  window.scales.assign(static_cast<std::size_t>(depth) * static_cast<std::size_t>(fold - 1), 0.0);
  return window;
}

std::vector<double> place_windows(const numerics::Curve& f, numerics::Interval interval,
                                  int count) {
  const int cells = std::max(4096, 32 * count);
  const std::vector<double> changes = slope_changes(f, interval, cells);
  std::vector<double> cumulative{0};
  for (int cell = 0; cell < cells; ++cell) {
    const double before = changes[std::max(cell - 1, 0)],
                 after = changes[std::min(cell, cells - 2)];
    cumulative.push_back(cumulative.back() + std::pow(0.5 * (before + after), 0.4));
  }
  const double even = 0.02 * (cumulative.back() > 0 ? cumulative.back() : 1);
  for (int i = 0; i <= cells; ++i) cumulative[i] += even * i / cells;

  std::vector<double> nodes;
  std::size_t cell = 0;
  for (int j = 0; j <= count; ++j) {
    const double wanted = cumulative.back() * j / count;
    while (cell + 2 < cumulative.size() && cumulative[cell + 1] < wanted) ++cell;
    const double part = (wanted - cumulative[cell]) / (cumulative[cell + 1] - cumulative[cell]);
    nodes.push_back(interval.at((static_cast<double>(cell) + part) / cells));
  }
  nodes.front() = interval.low;
  nodes.back() = interval.high;
  return nodes;
}

FoldedFunction curvature_folding(const numerics::Curve& f, numerics::Interval interval, int depth,
                                 int fold, int windows) {
  FoldedFunction function;
  function.nodes = place_windows(f, interval, windows);
  for (const double node : function.nodes) function.values.push_back(f(node));
  // A window sees little of the function: all windows together get eight times the cells of one.
  const int cells = std::clamp(16384 / windows, 32, 2048);
  for (int j = 0; j < windows; ++j)
    function.windows.push_back(
        fold_by_curvature(f, {function.nodes[j], function.nodes[j + 1]}, depth, fold, cells));
  return function;
}

}  // namespace asap::region
