#include "region/pieces/piece_sums.h"

namespace asap::region {
namespace {

/// Adds a cell inside piece k.
void add(const PiecewiseLinear& line, std::size_t k, const Cell& cell, PieceSums& piece) {
  const double inverse = 1 / (line.x[k + 1] - line.x[k]);
  const double slope = (line.y[k + 1] - line.y[k]) * inverse;
  const double t = (cell.x - line.x[k]) * inverse, s = 1 - t;
  const double value = line.y[k] * s + line.y[k + 1] * t;
  const double residual = value - cell.y;
  const double spread = cell.spread * inverse * inverse;
  const double mixed = (slope - cell.slope) * cell.spread * inverse;
  piece.product00 += cell.weight * (s * s + spread);
  piece.product01 += cell.weight * (s * t - spread);
  piece.product11 += cell.weight * (t * t + spread);
  piece.residual0 += cell.weight * (residual * s - mixed);
  piece.residual1 += cell.weight * (residual * t + mixed);
  piece.cost += cell.cost(value, slope);
}

}  // namespace

std::vector<PieceSums> piece_sums(const Cells& cells, const PiecewiseLinear& line) {
  const std::size_t pieces = line.x.size() - 1;
  std::vector<PieceSums> sums(pieces);
  std::size_t k = 0;
  for (const Cell& whole : cells) {
    while (k + 1 < pieces && whole.left >= line.x[k + 1]) ++k;
    Cell cell = whole;
    while (k + 1 < pieces && cell.right > line.x[k + 1]) {
      if (cell.left < line.x[k + 1]) {
        const auto [left, right] = cell.cut(line.x[k + 1]);
        add(line, k, left, sums[k]);
        cell = right;
      }
      ++k;
    }
    add(line, k, cell, sums[k]);
  }
  return sums;
}

double total_cost(const std::vector<PieceSums>& sums) {
  double cost = 0;
  for (const PieceSums& piece : sums) cost += piece.cost;
  return cost;
}

}  // namespace asap::region
