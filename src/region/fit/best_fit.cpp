#include "region/fit/best_fit.h"

#include <algorithm>
#include <cmath>

#include "region/family/spline.h"
#include "region/fit/continued_ends.h"
#include "region/fit/guide_samples.h"
#include "region/fit/narrow_fit.h"
#include "region/fit/pieces_fit.h"
#include "region/fit/unit_scaling.h"

namespace asap::region {
namespace {

constexpr int kReferenceDepth = 5;  // of the recipe

double error_at(const ReluNetwork& network, const Samples& samples) {
  std::vector<double> prediction(samples.x.size());
  network.evaluate(samples.x, prediction);
  return mean_squared_error(samples, prediction);
}

/// Straight pieces whose network has at most `parameters`; for noisy points the number that BIC
/// chooses.
PiecesFit competing_pieces(const Target& unit, std::int64_t parameters) {
  PiecesOptions options;
  options.most_pieces = static_cast<int>(std::clamp<std::int64_t>(
      (parameters - 1) / 3, 1, std::min(determined_pieces(unit), kMostSearchedPieces)));
  if (unit.noise_variance == 0) options.pieces = options.most_pieces;
  return fit_pieces(unit, options);
}

/// One target in unit scale, and how its fits are judged: at the points, or on a dense grid of the
/// function.
class Competition {
 public:
  explicit Competition(const Target& unit)
      : unit_(unit),
        judge_(unit.truth ? even_samples(unit.truth, unit.interval, kDensePoints) : unit.samples) {}

  double error(const Fit& fit) const { return error_at(fit.network, judge_); }
  /// The error, and for noisy points Mallows' C_p.
  double cost(const Fit& fit) const {
    return error(fit) +
           2 * static_cast<double>(fit.freedom) * unit_.noise_variance / judge_.total_weight();
  }

  /// The narrow network or the straight pieces.
  Fit run(const FitOptions& options) const {
    const Fit pieces = straight(options);
    if (error(pieces) <= kExact) return pieces;
    Fit narrow = deep(options, pieces);
    return cost(narrow) < cost(pieces) ? narrow : pieces;
  }

 private:
  Fit straight(const FitOptions& options) const {
    const std::int64_t width = family_width(std::max(options.fold, 2), 1);
    return competing_pieces(unit_, NetworkShape::uniform(options.depth, width).parameter_count())
        .fit;
  }

  /// The narrow network, with another round where it gains little over the pieces.
  Fit narrow(const FitOptions& options, const Fit& pieces) const {
    // Noise in joined samples is less than in the points.
    const double rival = unit_.noise_variance > 0
                             ? error_at(pieces.network, bin_samples(unit_.samples, 1000))
                             : error(pieces);
    Fit fit = unit_narrow_fit(unit_, options, rival);
    const bool gains_little = error(fit) > rival / 5 && error(fit) < 3 * rival;
    if (!unit_.truth || options.depth != kReferenceDepth || !gains_little) return fit;
    FitOptions longer = options;
    longer.starts = 2 * options.starts;
    longer.first_hops = 5 * options.first_hops;
    longer.last_hops = 10 * options.last_hops;
    longer.progress = {};
    Fit again = unit_narrow_fit(unit_, longer, rival);
    return error(again) < error(fit) ? again : fit;
  }

  /// No worse than at the reference depth.
  Fit deep(const FitOptions& options, const Fit& pieces) const {
    Fit fit = narrow(options, pieces);
    if (options.depth <= kReferenceDepth || unit_.noise_variance > 0) return fit;
    FitOptions shallow = options;
    shallow.depth = kReferenceDepth;
    shallow.progress = {};
    const Fit start = narrow(shallow, straight(shallow));
    Fit deeper = unit_narrow_fit_from(start.network, unit_, options);
    return error(deeper) < error(fit) ? deeper : fit;
  }

  const Target& unit_;
  Samples judge_;
};

}  // namespace

Fit best_fit(const Target& target, const FitOptions& options) {
  const UnitScaling scaling(target);
  const Target unit = scaling.scaled(target);
  Fit fit = Competition(unit).run(options);
  if (options.continue_ends) fit.network = with_continued_ends(fit.network, unit.interval);
  if (options.progress) options.progress(1);
  return scaling.unscaled(std::move(fit));
}

}  // namespace asap::region
