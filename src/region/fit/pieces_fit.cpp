#include "region/fit/pieces_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/counted.h"
#include "base/error.h"
#include "region/fit/cross_validation.h"
#include "region/fit/smoothing_fit.h"
#include "region/pieces/cell_units.h"
#include "region/pieces/even_knots.h"
#include "region/pieces/huber.h"
#include "region/pieces/piecewise_network.h"

namespace asap::region {
namespace {

/// The search ends when the criterion has not improved for this many numbers of pieces.
constexpr int kPatience = 8;

/// Cells on which many points are cross-validated: more than in a search, because every cell of a
/// few points would hide how these points scatter.
constexpr int kTestedCells = 4000;

/// By how many standard errors other pieces must be better than a smoothing line at points left
/// out, or to which part of its error: corners matter at few points, which says little in standard
/// errors.
constexpr double kSure = 2, kFarBetter = 0.5;

/// A function that may be chosen, and what the criterion says of it.
struct Candidate {
  std::vector<PiecewiseLinear> parts;
  PiecesTrial trial;
};

/// Index of the least criterion; the first one of those below `rounding` wins.
std::size_t least_of(const std::vector<Candidate>& candidates, double rounding) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    const double criterion = std::max(candidates[k].trial.criterion, rounding);
    if (!(criterion < least)) continue;
    least = criterion;
    best = k;
  }
  return best;
}

void check(const Target& target, const PiecesOptions& options) {
  if (options.pieces < 0 || options.pieces > kMostPieces)
    throw base::UsageError("`pieces` " + std::to_string(options.pieces) + ": expected 1 to " +
                           std::to_string(kMostPieces));
  const bool constrained = options.constraints.any();
  if (options.pieces > kMostSearchedPieces && (constrained || options.jumps > 0))
    throw base::UsageError("`pieces` " + std::to_string(options.pieces) + " with " +
                               (constrained ? options.constraints.fields() : "`jumps`") +
                               ": at most " + std::to_string(kMostSearchedPieces),
                           "take fewer pieces, or auto");
  if (options.jumps > 0 && constrained)
    throw base::UsageError("`jumps` and " + options.constraints.fields() + " exclude each other");
  if (target.truth && (options.jumps > 0 || options.criterion == Criterion::cv))
    throw base::UsageError(std::string(options.jumps > 0 ? "`jumps`" : "`criterion` cv") +
                           " needs points");
  if (options.criterion == Criterion::cv &&
      (options.jumps > 0 || options.loss != Loss::squares || options.pieces > 0))
    throw base::UsageError(
        "`criterion` cv chooses the number of `pieces` of least squares without `jumps`",
        "give `pieces` auto, without `jumps` and `loss`");
  if (options.jumps > 0 && options.loss != Loss::squares)
    throw base::UsageError("`jumps` and `loss` huber exclude each other");
}

class PiecesChoice {
 public:
  PiecesChoice(const Target& target, const PiecesOptions& options)
      : target_(target), options_(options), seen_(target) {
    if (options.loss == Loss::huber) seen_.samples = with_huber_weights(target.samples);
    most_ = options.pieces > 0 ? options.pieces
                               : std::min(options.most_pieces, determined_pieces(target));
    if (constrained()) most_ = std::min(most_, kMostSearchedPieces);
    const auto [low, high] = std::minmax_element(seen_.samples.y.begin(), seen_.samples.y.end());
    const double rounding =
        4 * std::numeric_limits<double>::epsilon() * std::max(std::abs(*low), std::abs(*high));
    exact_ = std::max(kExactError * (*high - *low) * (*high - *low), rounding * rounding);
  }

  /// Every function that was searched; of those with the wanted number of pieces, if it is given.
  std::vector<Candidate> candidates() {
    if (options_.pieces > kMostSearchedPieces) return {large()};
    std::vector<Candidate> all =
        options_.criterion == Criterion::cv ? by_cross_validation() : by_bic();
    if (options_.jumps > 0) add_jumping(all);
    if (options_.pieces == 0) return all;
    int most = 0;
    for (const Candidate& candidate : all) most = std::max(most, candidate.trial.pieces);
    std::erase_if(all, [&](const Candidate& candidate) { return candidate.trial.pieces != most; });
    return all;
  }

  /// Index of the one that the criterion chooses.
  std::size_t chosen_of(const std::vector<Candidate>& candidates) const {
    constexpr double kNone = -std::numeric_limits<double>::infinity();
    const std::size_t least =
        least_of(candidates, options_.criterion == Criterion::cv ? exact_ : kNone);
    const PiecesTrial& best = candidates[least].trial;
    if (smoothing_.empty() || best.knots == Knots::smooth) return least;
    const SmoothingFit& smooth = *std::ranges::min_element(smoothing_, {}, &SmoothingFit::error);
    const auto two = [&](const Samples& points) {
      const PiecesSearch search =
          best.knots == Knots::even ? even_knots : free_search(kTestedCells);
      const auto found = search(points, best.pieces, {});
      return std::vector{smoothed_like(smooth, points), found.back().function};
    };
    if (best.criterion <= exact_ || best.criterion < kFarBetter * smooth.error ||
        sureness_of_second(seen_.samples, two) >= kSure)
      return least;
    return static_cast<std::size_t>(
        std::ranges::find_if(candidates,
                             [&](const Candidate& candidate) {
                               return candidate.trial.knots == Knots::smooth &&
                                      candidate.trial.criterion == smooth.error;
                             }) -
        candidates.begin());
  }

  /// The chosen function on all points and under the loss.
  std::vector<PiecewiseLinear> finished(Candidate& chosen) const {
    if (chosen.parts.size() > 1) return chosen.parts;
    PiecewiseLinear function = chosen.parts.front();
    if (!seen_.truth && options_.pieces <= kMostSearchedPieces &&
        chosen.trial.knots == Knots::free && seen_.samples.size() > kSearchedCells) {
      const PiecewiseFit refined = refined_on(function, seen_.samples);
      function = refined.function;
      chosen.trial.mse = refined.mse;
    }
    if (options_.loss == Loss::huber)
      function = huber_refined(std::move(function), target_.samples,
                               [&](const PiecewiseLinear& line, const Samples& samples) {
                                 return refined_on(line, samples);
                               });
    return {std::move(function)};
  }

 private:
  bool constrained() const { return options_.constraints.any(); }

  double bic(double mse, int pieces, int jumps = 0) const {
    const double n = static_cast<double>(target_.samples.size());
    return n * std::log(std::max(mse, exact_)) + (2 * pieces + jumps) * std::log(n);
  }

  PiecewiseFit refined_on(const PiecewiseLinear& line, const Samples& samples) const {
    return constrained() ? constrained_on_points(line, samples, options_.constraints)
                         : refined_on_points(line, samples);
  }

  Candidate candidate(PiecewiseFit fit) const {
    const auto pieces = static_cast<int>(fit.function.pieces());
    return {{std::move(fit.function)},
            {pieces, 0, Knots::free, fit.mse, bic(fit.mse, pieces), false}};
  }

  Candidate large() const {
    const int pieces = options_.pieces;
    return candidate(seen_.truth
                         ? best_piecewise(cells_of(seen_.truth, seen_.interval, 8 * pieces), pieces)
                         : best_piecewise(seen_.samples, pieces));
  }

  /// True when the least BIC lies kPatience numbers of pieces back.
  template <class Fits, class Value>
  bool enough(const Fits& fits, const Value& value) const {
    if (options_.pieces > 0) return false;
    std::size_t best = 0;
    for (std::size_t k = 1; k < fits.size(); ++k)
      if (value(fits[k]) < value(fits[best])) best = k;
    return fits.size() > best + kPatience;
  }

  std::vector<Candidate> by_bic() const {
    std::vector<Candidate> all;
    for (PiecewiseFit& fit : searched_pieces(
             seen_, most_,
             [&](const std::vector<PiecewiseFit>& fits) {
               return enough(fits, [&](const PiecewiseFit& fit) {
                 return bic(fit.mse, static_cast<int>(fit.function.pieces()));
               });
             },
             options_.constraints))
      all.push_back(candidate(std::move(fit)));
    return all;
  }

  std::vector<Candidate> by_cross_validation() {
    std::vector<Candidate> all;
    // The errors of a search at points left out, with its functions on all points.
    const auto add = [&](const PiecesSearch& search, const PiecesSearch& final, int most,
                         Knots knots) {
      const std::map<int, double> errors = cross_validated(seen_.samples, most, search);
      if (errors.empty()) return;
      for (PiecewiseFit& fit : final(seen_.samples, errors.rbegin()->first, {})) {
        const auto found = errors.find(static_cast<int>(fit.function.pieces()));
        if (found == errors.end()) continue;
        all.push_back(candidate(std::move(fit)));
        all.back().trial.criterion = found->second;
        all.back().trial.knots = knots;
      }
    };
    add(free_search(kTestedCells), free_search(kSearchedCells), most_, Knots::free);
    if (!constrained()) {
      const std::int64_t most = std::max<std::int64_t>(seen_.samples.size() / 3, 1);
      add(even_knots, even_knots,
          static_cast<int>(std::min<std::int64_t>(most, options_.most_pieces)), Knots::even);
      add_smoothing(all);
    }
    if (all.empty())
      throw base::UsageError("`criterion` cv leaves out every fifth point: too few are left",
                             "give `criterion` bic or the number of `pieces`");
    return all;
  }

  PiecesSearch free_search(int cells) const {
    return [this, cells](const Samples& samples, int pieces, const EnoughPieces& enough) {
      const Cells joined = cells_of(samples, cells);
      return constrained() ? constrained_knots(joined, options_.constraints, pieces, enough)
                           : free_knots(joined, pieces, enough);
    };
  }

  void add_smoothing(std::vector<Candidate>& all) {
    smoothing_ = smoothing_fits(seen_.samples);
    std::erase_if(smoothing_, [&](const SmoothingFit& fit) {
      return fit.function.pieces() > options_.most_pieces;
    });
    for (const SmoothingFit& fit : smoothing_)
      all.push_back({{fit.function},
                     {static_cast<int>(fit.function.pieces()), 0, Knots::smooth,
                      mean_squared_error(fit.function, seen_.samples), fit.error, false}});
  }

  void add_jumping(std::vector<Candidate>& all) const {
    const auto value = [&](const JumpingFit& fit) {
      return bic(fit.mse, fit.pieces(), fit.jumps());
    };
    const auto enough_pieces = [&](const std::vector<JumpingFit>& fits) {
      if (options_.pieces > 0) return false;
      const auto best = std::min_element(
          fits.begin(), fits.end(),
          [&](const JumpingFit& a, const JumpingFit& b) { return value(a) < value(b); });
      return fits.back().pieces() > best->pieces() + kPatience;
    };
    for (JumpingFit& fit : jumping_knots(seen_.samples, std::min(most_, kMostSearchedPieces),
                                         options_.jumps, enough_pieces)) {
      const PiecesTrial trial{fit.pieces(), fit.jumps(), Knots::free, fit.mse, value(fit), false};
      all.push_back({std::move(fit.parts), trial});
    }
    std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
      return std::pair(a.trial.pieces, a.trial.jumps) < std::pair(b.trial.pieces, b.trial.jumps);
    });
  }

  const Target& target_;
  const PiecesOptions& options_;
  Target seen_;
  int most_ = 1;
  double exact_ = 0;
  std::vector<SmoothingFit> smoothing_;  // that cross-validation tried
};

std::string description_of(const PiecesOptions& options, const PiecesTrial& chosen) {
  std::string text = base::counted(chosen.pieces, "straight piece");
  if (chosen.pieces > 1 || chosen.knots == Knots::smooth)
    text += chosen.knots == Knots::free   ? " with free knots"
            : chosen.knots == Knots::even ? " with even shares of the points"
                                          : " of a smoothing line";
  if (chosen.jumps > 0) text += " and " + base::counted(chosen.jumps, "jump");
  if (options.pieces == 0)
    text +=
        options.criterion == Criterion::bic ? ", chosen by BIC" : ", chosen by cross-validation";
  if (options.loss == Loss::huber) text += ", Huber's loss";
  return text;
}

}  // namespace

std::vector<PiecewiseFit> searched_pieces(const Target& target, int pieces,
                                          const EnoughPieces& enough,
                                          const PiecesConstraints& constraints) {
  const Cells cells = target.truth
                          ? cells_of(target.truth, target.interval, std::max(512, 8 * pieces))
                          : cells_of(target.samples, kSearchedCells);
  if (constraints.any()) return constrained_knots(cells, constraints, pieces, enough);
  return free_knots(cells, pieces, enough);
}

int determined_pieces(const Target& target) {
  constexpr int kMost = 512;
  if (target.truth) return kMost;
  return static_cast<int>(std::clamp<std::int64_t>(target.samples.size() / 3, 1, kMost));
}

PiecesFit fit_pieces(const Target& target, const PiecesOptions& options) {
  check(target, options);
  PiecesChoice choice(target, options);
  std::vector<Candidate> candidates = choice.candidates();
  Candidate& chosen = candidates[choice.chosen_of(candidates)];
  chosen.trial.chosen = true;
  PiecesFit result;
  for (const Candidate& candidate : candidates) result.trials.push_back(candidate.trial);
  result.parts = choice.finished(chosen);
  result.function = joined(result.parts);
  result.fit.network = to_network(result.function);
  result.fit.freedom = 2 * chosen.trial.pieces + chosen.trial.jumps;
  const bool plain = options.loss == Loss::squares && !options.constraints.any() &&
                     chosen.trial.knots == Knots::free;
  if (plain && chosen.trial.jumps == 0) result.fit.floor = chosen.trial.mse;
  if (plain && !target.truth && chosen.trial.pieces <= kMostSearchedPieces)
    result.errors = piece_errors(result.parts, target.samples);
  result.fit.description = description_of(options, chosen.trial);
  return result;
}

}  // namespace asap::region
