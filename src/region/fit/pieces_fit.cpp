#include "region/fit/pieces_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/text.h"
#include "region/pieces/huber.h"
#include "region/pieces/piecewise_network.h"

namespace asap::region {
namespace {

/// The search ends when the criterion has not improved for this many numbers of pieces.
constexpr int kPatience = 8;

double criterion(double mse, std::int64_t points, int pieces) {
  const double n = static_cast<double>(points);
  return n * std::log(mse) + 2 * pieces * std::log(n);
}

/// Index of the least criterion; the first one whose error is rounding wins.
std::size_t chosen(const std::vector<PiecewiseFit>& fits, std::int64_t points) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < fits.size(); ++k) {
    const double value =
        criterion(fits[k].mse, points, static_cast<int>(fits[k].function.pieces()));
    if (!(value < least)) continue;
    least = value;
    best = k;
  }
  return best;
}

void check(const PiecesOptions& options) {
  if (options.pieces < 0 || options.pieces > kMostPieces)
    throw base::UsageError("`pieces` " + std::to_string(options.pieces) + ": expected 1 to " +
                           std::to_string(kMostPieces));
}

}  // namespace

std::vector<PiecewiseFit> searched_pieces(const Target& target, int pieces,
                                          const EnoughPieces& enough) {
  const Cells cells = target.truth
                          ? cells_of(target.truth, target.interval, std::max(512, 8 * pieces))
                          : cells_of(target.samples, kSearchedCells);
  return free_knots(cells, pieces, enough);
}

int determined_pieces(const Target& target) {
  constexpr int kMost = 512;
  if (target.truth) return kMost;
  return static_cast<int>(std::clamp<std::int64_t>(target.samples.size() / 3, 1, kMost));
}

PiecesFit fit_pieces(const Target& target, const PiecesOptions& options) {
  check(options);
  Target seen = target;
  if (options.loss == Loss::huber) seen.samples = with_huber_weights(target.samples);
  const std::int64_t points = target.samples.size();
  PiecesFit result;
  PiecewiseFit best;
  if (options.pieces > kMostSearchedPieces) {
    best = seen.truth ? best_piecewise(cells_of(seen.truth, seen.interval, 8 * options.pieces),
                                       options.pieces)
                      : best_piecewise(seen.samples, options.pieces);
  } else {
    const auto enough = [&](const std::vector<PiecewiseFit>& fits) {
      return options.pieces == 0 && fits.size() > chosen(fits, points) + kPatience;
    };
    const int most = options.pieces > 0 ? options.pieces
                                        : std::min(options.most_pieces, determined_pieces(target));
    const std::vector<PiecewiseFit> fits = searched_pieces(seen, most, enough);
    const std::size_t index = options.pieces > 0 ? fits.size() - 1 : chosen(fits, points);
    best = fits[index];
    for (std::size_t k = options.pieces > 0 ? index : 0; k < fits.size(); ++k) {
      const auto pieces = static_cast<int>(fits[k].function.pieces());
      result.trials.push_back({pieces, fits[k].mse, criterion(fits[k].mse, points, pieces)});
    }
    if (!seen.truth && seen.samples.size() > kSearchedCells)
      best = refined_on_points(best.function, seen.samples);
  }
  if (options.loss == Loss::huber) best.function = huber_refined(best.function, target.samples);
  result.function = std::move(best.function);
  result.fit.network = to_network(result.function);
  result.fit.freedom = 2 * result.function.pieces();
  if (options.loss == Loss::squares) result.fit.floor = best.mse;
  result.fit.description =
      std::to_string(result.function.pieces()) +
      (result.function.pieces() == 1 ? " straight piece" : " straight pieces with free knots") +
      (options.pieces == 0 ? ", chosen by BIC" : "") +
      (options.loss == Loss::huber ? ", Huber's loss" : "");
  return result;
}

}  // namespace asap::region
