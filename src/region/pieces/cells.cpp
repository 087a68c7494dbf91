#include "region/pieces/cells.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <queue>

namespace asap::region {
namespace {

Cell point_cell(const Samples& samples, std::size_t i) {
  const double x = samples.x[i];
  return {samples.weight.empty() ? 1 : samples.weight[i], x, samples.y[i], 0, 0, 0, x, x};
}

/// A cell of f by the Gauss rule of five points, and how far f bends away from its chord, times the
/// length: what the cell can add to an integral that straight pieces resolve.
struct CurveCell {
  Cell cell;
  double bend = 0;
  bool operator<(const CurveCell& other) const { return bend < other.bend; }
};

CurveCell curve_cell(const numerics::Curve& f, double left, double right) {
  static constexpr std::array<double, 5> kPlaces = {-.9061798459386640, -.5384693101056831, 0,
                                                    .5384693101056831, .9061798459386640};
  static constexpr std::array<double, 5> kWeights = {.1184634425280945, .2393143352496832,
                                                     .2844444444444444, .2393143352496832,
                                                     .1184634425280945};
  const double middle = 0.5 * (left + right), half = 0.5 * (right - left);
  std::array<double, 5> y{};
  CurveCell result;
  Cell& cell = result.cell;
  cell = {right - left, middle, 0, half * half / 3, 0, 0, left, right};
  for (std::size_t i = 0; i < 5; ++i)
    cell.y += kWeights[i] * (y[i] = f(middle + half * kPlaces[i]));
  for (std::size_t i = 0; i < 5; ++i)
    cell.slope += kWeights[i] * half * kPlaces[i] * (y[i] - cell.y) / cell.spread;
  for (std::size_t i = 0; i < 5; ++i) {
    const double residual = y[i] - cell.y - cell.slope * half * kPlaces[i];
    cell.rest += kWeights[i] * residual * residual;
  }
  result.bend = cell.weight * cell.rest;
  return result;
}

}  // namespace

Cell Cell::joined(const Cell& other) const {
  if (weight == 0) return other;
  Cell all;
  all.weight = weight + other.weight;
  const double part = other.weight / all.weight, dx = other.x - x, dy = other.y - y;
  all.x = x + part * dx;
  all.y = y + part * dy;
  all.spread = spread + part * (other.spread - spread) + part * (1 - part) * dx * dx;
  if (all.spread > 0)
    all.slope = ((1 - part) * slope * spread + part * other.slope * other.spread +
                 part * (1 - part) * dx * dy) /
                all.spread;
  // Sums of squares: nothing cancels.
  const auto left_over = [&](const Cell& cell) {
    return cell.cost(all.y + all.slope * (cell.x - all.x), all.slope);
  };
  all.rest = (left_over(*this) + left_over(other)) / all.weight;
  all.left = left;
  all.right = other.right;
  return all;
}

std::pair<Cell, Cell> Cell::cut(double at) const {
  const auto part = [&](double from, double to) {
    const double middle = 0.5 * (from + to);
    return Cell{weight * (to - from) / (right - left),
                middle,
                y + slope * (middle - x),
                (to - from) * (to - from) / 12,
                slope,
                rest,
                from,
                to};
  };
  return {part(left, at), part(at, right)};
}

Cells cells_of(const Samples& samples, int most) {
  Cells cells;
  const std::size_t n = samples.x.size();
  const bool join = samples.size() > most;
  const double share = 1.0 / most;
  const double length = share * (samples.x.back() - samples.x.front());
  const double weight = share * samples.total_weight();
  const std::size_t count = n / static_cast<std::size_t>(most) + 1;
  std::size_t held = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Cell point = point_cell(samples, i);
    const bool fits = join && !cells.empty() && held < count &&
                      point.x - cells.back().left <= length &&
                      cells.back().weight + point.weight <= weight;
    if (fits) {
      cells.back() = cells.back().joined(point);
      ++held;
    } else {
      cells.push_back(point);
      held = 1;
    }
  }
  return cells;
}

Cells cells_of(const numerics::Curve& f, numerics::Interval interval, int least) {
  std::priority_queue<CurveCell> queue;
  for (int i = 0; i < least; ++i)
    queue.push(curve_cell(f, interval.at(static_cast<double>(i) / least),
                          interval.at(static_cast<double>(i + 1) / least)));
  for (int halving = 0; halving < least; ++halving) {
    const Cell widest = queue.top().cell;
    const double middle = 0.5 * (widest.left + widest.right);
    if (!(queue.top().bend > 0) || !(widest.left < middle && middle < widest.right)) break;
    queue.pop();
    queue.push(curve_cell(f, widest.left, middle));
    queue.push(curve_cell(f, middle, widest.right));
  }
  Cells cells;
  for (; !queue.empty(); queue.pop()) cells.push_back(queue.top().cell);
  std::sort(cells.begin(), cells.end(),
            [](const Cell& a, const Cell& b) { return a.left < b.left; });
  return cells;
}

double total_weight(const Cells& cells) {
  double total = 0;
  for (const Cell& cell : cells) total += cell.weight;
  return total;
}

}  // namespace asap::region
