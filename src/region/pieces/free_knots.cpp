#include "region/pieces/free_knots.h"

#include <algorithm>
#include <cmath>

#include "region/pieces/cell_units.h"
#include "region/pieces/knot_candidates.h"
#include "region/pieces/knot_edits.h"
#include "region/pieces/piecewise_network.h"
#include "region/pieces/stabbing.h"

namespace asap::region {
namespace {

constexpr int kFirstIterations = 20;
constexpr int kIterations = 150;
constexpr int kFinalIterations = 40;         // on very many points
constexpr std::int64_t kPointsPerPiece = 3;  // noisy points have two on a piece, one at a knot
constexpr double kThrough[] = {1e-8, 1e-6, 1e-4};  // of the range of y: a start for least squares

/// Values of the weighted mean at every knot: a start for least squares.
PiecewiseLinear flat(const std::vector<double>& inner) {
  PiecewiseLinear line{{0}, {0}};
  for (const double knot : inner) {
    line.x.push_back(knot);
    line.y.push_back(0);
  }
  line.x.push_back(1);
  line.y.push_back(0);
  return line;
}

class Search {
 public:
  explicit Search(Cells unit) : cells_(std::move(unit)) {}

  void run(int pieces, const EnoughPieces& enough) {
    const std::vector<double> candidates = knot_candidates(cells_, kMostCandidates);
    KnotProgram program(cells_, candidates);
    std::vector<PiecewiseFit> fits;
    for (int p = 1; p <= std::min(pieces, kMostSearchedPieces); ++p) {
      PiecewiseFit best = fit_values(cells_, flat({}));
      if (p > 1) best = refine_knots(cells_, with_cut_piece(fits.back().function), kIterations);
      program.add_piece();
      for (const KnotPath& path : program.best()) {
        if (p == 1) break;
        const PiecewiseFit start = fit_values(cells_, flat(path.knots));
        take_better(best, promising(start.function, best.mse));
      }
      for (int tries = 0; p > 2 && tries < 3 && best.mse > kExactError; ++tries)
        if (!take_better(best, promising(with_moved_knot(best.function), best.mse))) break;
      if (p > 1) best.mse = std::min(best.mse, fits.back().mse);  // equal but for rounding
      fits.push_back(std::move(best));
      if (enough(fits) || fits.back().mse <= kExactError) return;
    }
    while (fits.back().function.pieces() < pieces) {
      PiecewiseLinear more = fits.back().function;
      const std::int64_t wanted = std::min<std::int64_t>(pieces, more.pieces() + kPieceStep);
      while (more.pieces() < wanted) more = with_cut_piece(std::move(more));
      PiecewiseFit best = refine_knots(cells_, more, kIterations);
      for (int tries = 0; tries < kPieceStep; ++tries)
        if (!take_better(best, promising(with_moved_knot(best.function), best.mse))) break;
      fits.push_back(std::move(best));
      if (enough(fits) || fits.back().mse <= kExactError) return;
    }
  }

  PiecewiseFit balanced(int pieces) const {
    const PiecewiseFit start =
        fit_values(cells_, {balanced_knots(cells_, pieces),
                            std::vector<double>(static_cast<std::size_t>(pieces) + 1, 0.0)});
    return refine_knots(cells_, start.function, kIterations);
  }

 private:
  /// The start refined, in full only when it comes near the best.
  PiecewiseFit promising(const PiecewiseLinear& start, double best) const {
    PiecewiseFit fit = refine_knots(cells_, start, kFirstIterations);
    if (fit.mse > 1.2 * best) return fit;
    return refine_knots(cells_, fit.function, kIterations);
  }

  static bool take_better(PiecewiseFit& best, PiecewiseFit trial) {
    if (!(trial.mse < best.mse)) return false;
    const bool clearly = trial.mse < (1 - 1e-4) * best.mse;
    best = std::move(trial);
    return clearly;
  }

  /// The piece that holds the largest error, and the place that halves its error.
  std::pair<std::size_t, double> worst_piece(const PiecewiseLinear& line) const {
    std::vector<double> cost(static_cast<std::size_t>(line.pieces()));
    std::size_t k = 0;
    const auto each = [&](auto&& see) {
      k = 0;
      for (const Cell& cell : cells_) {
        while (k + 1 < cost.size() && cell.x >= line.x[k + 1]) ++k;
        see(k, cell, cell.cost(line(cell.x), line.slope(static_cast<std::int64_t>(k))));
      }
    };
    each([&](std::size_t piece, const Cell&, double c) { cost[piece] += c; });
    const std::size_t worst =
        static_cast<std::size_t>(std::max_element(cost.begin(), cost.end()) - cost.begin());
    double before = 0, place = 0.5 * (line.x[worst] + line.x[worst + 1]);
    bool found = false;
    each([&](std::size_t piece, const Cell& cell, double c) {
      if (piece != worst || found) return;
      before += c;
      if (before < 0.5 * cost[worst]) return;
      found = true;
      place = cell.x;
    });
    const double margin = 0.02 * (line.x[worst + 1] - line.x[worst]);
    return {worst, std::clamp(place, line.x[worst] + margin, line.x[worst + 1] - margin)};
  }

  PiecewiseLinear with_cut_piece(PiecewiseLinear line) const {
    const auto [piece, place] = worst_piece(line);
    return with_knot(std::move(line), piece, place);
  }

  /// Removes the knot that is missed least and cuts the worst piece instead.
  PiecewiseLinear with_moved_knot(const PiecewiseLinear& line) const {
    return with_cut_piece(fit_values(cells_, without_idle_knot(line)).function);
  }

  Cells cells_;
};

}  // namespace

std::vector<PiecewiseFit> free_knots(const Cells& cells, int pieces, const EnoughPieces& enough) {
  const CellUnits units(cells);
  std::vector<PiecewiseFit> fits;
  Search(units.scaled(cells)).run(pieces, [&](const std::vector<PiecewiseFit>& found) {
    fits.push_back(units.unscaled(found.back(), cells));
    return enough && enough(fits);
  });
  return fits;
}

PiecewiseFit best_piecewise(const Cells& cells, int pieces) {
  if (pieces <= kMostSearchedPieces) return free_knots(cells, pieces).back();
  const CellUnits units(cells);
  return units.unscaled(Search(units.scaled(cells)).balanced(pieces), cells);
}

PiecewiseFit refined_on_points(const PiecewiseLinear& function, const Samples& samples) {
  const Cells cells = cells_of(samples, kRefinedCells);
  const CellUnits units(cells);
  return units.unscaled(refine_knots(units.scaled(cells), units.scaled(function), kFinalIterations),
                        cells);
}

PiecewiseFit best_piecewise(const Samples& samples, int pieces) {
  if (samples.size() > 1 && samples.size() <= pieces + 1) return {{samples.x, samples.y}, 0};
  PiecewiseFit best = best_piecewise(cells_of(samples, kSearchedCells), pieces);
  if (samples.size() > kSearchedCells) best = refined_on_points(best.function, samples);
  if (kPointsPerPiece * std::int64_t{pieces} < samples.size()) return best;
  // With a piece for every few points some function may pass through all of them, which least
  // squares with free knots seldom finds.
  const auto take = [&](PiecewiseFit fit) {
    if (fit.mse < best.mse) best = std::move(fit);
  };
  const auto [low, high] = std::ranges::minmax(samples.y);
  for (const double share : kThrough) {
    const auto through = fewest_pieces(samples, share * (high - low), pieces, Within::samples);
    if (!through) continue;  // too many pieces, or their rounding is larger
    take(refined_on_points(*through, samples));
    break;
  }
  if (pieces > kMostSearchedPieces && best.mse > 0)
    take(best_piecewise(cells_of(samples, kSearchedCells), kMostSearchedPieces));
  return best;
}

}  // namespace asap::region
