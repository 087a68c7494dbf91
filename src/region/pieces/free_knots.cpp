#include "region/pieces/free_knots.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "region/pieces/knot_candidates.h"

namespace asap::region {
namespace {

constexpr int kMostCandidates = 200;
constexpr int kSearchedCells = 1500;
constexpr int kFinalCells = 100'000;
constexpr int kIterations = 60;
constexpr int kFinalIterations = 200;
constexpr double kExact = 1e-30;  // a mean squared error, in units of range one, that is rounding

/// The affine change of x and y to range one.
struct Units {
  double x = 0, length = 1, y = 0, range = 1;

  explicit Units(const Cells& cells) : x(cells.front().left) {
    length = cells.back().right - x;
    double low = cells.front().y, high = low;
    for (const Cell& cell : cells) {
      low = std::min(low, cell.y);
      high = std::max(high, cell.y);
    }
    y = 0.5 * low + 0.5 * high;
    if (high > low) range = high - low;
  }

  Cells scaled(Cells cells) const {
    const double total = total_weight(cells);
    for (Cell& cell : cells) {
      cell.weight /= total;
      for (double* at : {&cell.x, &cell.left, &cell.right}) *at = (*at - x) / length;
      cell.y = (cell.y - y) / range;
      cell.x_x = cell.x_x / length / length;
      cell.x_y = cell.x_y / length / range;
      cell.y_y = cell.y_y / range / range;
    }
    return cells;
  }
  Polyline scaled(Polyline line) const {
    for (double& knot : line.knots) knot = (knot - x) / length;
    for (double& value : line.values) value = (value - y) / range;
    return line;
  }
  PolylineFit unscaled(PolylineFit fit, const Cells& original) const {
    for (double& knot : fit.polyline.knots) knot = x + length * knot;
    for (double& value : fit.polyline.values) value = y + range * value;
    fit.polyline.knots.front() = original.front().left;
    fit.polyline.knots.back() = original.back().right;
    fit.mse *= range * range;
    return fit;
  }
};

/// Values of the weighted mean at every knot: a start for least squares.
Polyline flat(const std::vector<double>& inner) {
  Polyline line{{0}, {0}};
  for (const double knot : inner) {
    line.knots.push_back(knot);
    line.values.push_back(0);
  }
  line.knots.push_back(1);
  line.values.push_back(0);
  return line;
}

class Search {
 public:
  explicit Search(Cells unit) : cells_(std::move(unit)) {}

  std::vector<PolylineFit> run(int pieces) {
    const std::vector<double> candidates = knot_candidates(cells_, kMostCandidates);
    const auto programmed = programmed_knots(cells_, candidates, pieces);
    std::vector<PolylineFit> fits;
    for (int p = 1; p <= pieces; ++p) {
      PolylineFit best = fit_values(cells_, flat({}));
      if (p > 1) best = refine_knots(cells_, with_cut_piece(fits.back().polyline), kIterations);
      for (const std::vector<double>& inner : programmed[static_cast<std::size_t>(p) - 1]) {
        if (p == 1) break;
        const PolylineFit start = fit_values(cells_, flat(inner));
        take_better(best, refine_knots(cells_, start.polyline, kIterations));
      }
      for (int tries = 0; p > 2 && tries < 3 && best.mse > kExact; ++tries)
        if (!take_better(best, refine_knots(cells_, with_moved_knot(best.polyline), kIterations)))
          break;
      fits.push_back(std::move(best));
      if (fits.back().mse <= kExact) break;
    }
    return fits;
  }

  PolylineFit balanced(int pieces) const {
    const PolylineFit start = fit_values(
        cells_, {balanced_knots(cells_, pieces),
                 std::vector<double>(static_cast<std::size_t>(pieces) + 1, 0.0)});
    return refine_knots(cells_, start.polyline, kFinalIterations);
  }

 private:
  static bool take_better(PolylineFit& best, PolylineFit trial) {
    if (!(trial.mse < best.mse)) return false;
    const bool clearly = trial.mse < (1 - 1e-4) * best.mse;
    best = std::move(trial);
    return clearly;
  }

  /// The piece that holds the largest error, and the place that halves its error.
  std::pair<std::size_t, double> worst_piece(const Polyline& line) const {
    std::vector<double> cost(static_cast<std::size_t>(line.pieces()));
    std::size_t k = 0;
    const auto each = [&](auto&& see) {
      k = 0;
      for (const Cell& cell : cells_) {
        while (k + 1 < cost.size() && cell.x >= line.knots[k + 1]) ++k;
        see(k, cell, cell.cost(line(cell.x), line.slope(k)));
      }
    };
    each([&](std::size_t piece, const Cell&, double c) { cost[piece] += c; });
    const std::size_t worst = static_cast<std::size_t>(
        std::max_element(cost.begin(), cost.end()) - cost.begin());
    double before = 0, place = 0.5 * (line.knots[worst] + line.knots[worst + 1]);
    bool found = false;
    each([&](std::size_t piece, const Cell& cell, double c) {
      if (piece != worst || found) return;
      before += c;
      if (before < 0.5 * cost[worst]) return;
      found = true;
      place = cell.x;
    });
    const double margin = 0.02 * (line.knots[worst + 1] - line.knots[worst]);
    return {worst, std::clamp(place, line.knots[worst] + margin, line.knots[worst + 1] - margin)};
  }

  Polyline with_cut_piece(Polyline line) const {
    const auto [piece, place] = worst_piece(line);
    const auto at = static_cast<std::ptrdiff_t>(piece) + 1;
    const double value = line(place);
    line.knots.insert(line.knots.begin() + at, place);
    line.values.insert(line.values.begin() + at, value);
    return line;
  }

  /// Removes the knot that is missed least and cuts the worst piece instead.
  Polyline with_moved_knot(const Polyline& line) const {
    std::size_t idle = 1;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t k = 1; k + 1 < line.knots.size(); ++k) {
      const double left = line.knots[k] - line.knots[k - 1];
      const double right = line.knots[k + 1] - line.knots[k];
      // Size of the corner times the length over which it would be missed.
      const double corner = std::abs(line.slope(k) - line.slope(k - 1)) * left * right;
      const double missed = corner * corner / (left + right);
      if (missed >= least) continue;
      least = missed;
      idle = k;
    }
    Polyline fewer = line;
    fewer.knots.erase(fewer.knots.begin() + static_cast<std::ptrdiff_t>(idle));
    fewer.values.erase(fewer.values.begin() + static_cast<std::ptrdiff_t>(idle));
    return with_cut_piece(fit_values(cells_, std::move(fewer)).polyline);
  }

  Cells cells_;
};

}  // namespace

std::vector<PolylineFit> free_knots(const Cells& cells, int pieces) {
  const Units units(cells);
  std::vector<PolylineFit> fits = Search(units.scaled(cells)).run(pieces);
  for (PolylineFit& fit : fits) fit = units.unscaled(std::move(fit), cells);
  return fits;
}

PolylineFit best_polyline(const Cells& cells, int pieces) {
  if (pieces <= kMostSearchedPieces) return free_knots(cells, pieces).back();
  const Units units(cells);
  return units.unscaled(Search(units.scaled(cells)).balanced(pieces), cells);
}

PolylineFit best_polyline(const Samples& samples, int pieces) {
  const PolylineFit rough = best_polyline(cells_of(samples, kSearchedCells), pieces);
  const Cells cells = cells_of(samples, kFinalCells);
  const Units units(cells);
  return units.unscaled(
      refine_knots(units.scaled(cells), units.scaled(rough.polyline), kFinalIterations), cells);
}

}  // namespace asap::region
