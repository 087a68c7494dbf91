#include "region/fit/best_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>

#include "base/parallel.h"
#include "region/family/family_fit.h"
#include "region/family/linear_part.h"
#include "region/family/spline.h"
#include "region/fit/continued_ends.h"
#include "region/fit/pieces_fit.h"
#include "region/fit/unit_scaling.h"

namespace asap::region {
namespace {

/// A mean squared error, in units of range one, that is rounding: nothing is left to polish.
constexpr double kExact = 1e-26;

/// Drops tents below the rounding of y, which would only perturb the slopes.
void drop_rounding(FoldedFunction& function) {
  for (FoldedWindow& window : function.windows)
    for (double& scale : window.scales)
      if (std::abs(scale) < 1e-13) scale = 0;
}

/// Samples of the curve of which every stretch has its share of the points' weight: a gap between
/// two points counts half the weight of both.
Samples weighted_samples(const Samples& points, const numerics::Curve& curve, int count) {
  std::vector<double> mass{0};
  for (std::int64_t i = 0; i + 1 < points.size(); ++i)
    mass.push_back(mass.back() + 0.5 * (points.weight_at(i) + points.weight_at(i + 1)));
  Samples samples;
  std::size_t gap = 0;
  for (int k = 0; k < count; ++k) {
    const double wanted = mass.back() * k / (count - 1);
    while (gap + 2 < mass.size() && mass[gap + 1] < wanted) ++gap;
    const double part = std::min((wanted - mass[gap]) / (mass[gap + 1] - mass[gap]), 1.0);
    const double x = points.x[gap] + part * (points.x[gap + 1] - points.x[gap]);
    if (!samples.x.empty() && !(x > samples.x.back())) continue;
    samples.x.push_back(x);
    samples.y.push_back(curve(x));
  }
  return samples;
}

/// Whether even samples of the guide stand for the points: these are even and without weights.
bool stands_for_points(const Target& unit) {
  if (unit.truth) return true;
  const Samples& points = unit.samples;
  for (const double weight : points.weight)
    if (weight != points.weight.front()) return false;
  const double step = 1 / static_cast<double>(points.size() - 1);
  for (std::size_t i = 0; i + 1 < points.x.size(); ++i)
    if (std::abs(points.x[i + 1] - points.x[i] - step) > 0.01 * step) return false;
  return true;
}

Samples guide_samples(const Target& unit, int count) {
  return stands_for_points(unit) ? even_samples(unit.curve, {0, 1}, count)
                                 : weighted_samples(unit.samples, unit.curve, count);
}

/// The same function with more hidden layers of the last one's width, which pass it on.
ReluNetwork deepened(ReluNetwork network, int depth) {
  while (network.depth() < depth) {
    const std::int64_t width = network.layers.back().inputs();
    DenseLayer pass(width, width);
    for (std::int64_t k = 0; k < width; ++k) pass.w(k, k) = 1;
    network.layers.insert(network.layers.end() - 1, std::move(pass));
  }
  return network;
}

/// The work of the recipe, reduced for networks larger than the one it was designed for.
struct Effort {
  int samples, starts, first_hops, last_hops;
};

Effort plan_effort(const FitOptions& options, std::int64_t width) {
  constexpr double kReference = 93.0 * 93.0 * 1000.0;
  Effort effort{};
  effort.samples = 1000 << std::clamp(options.depth - 5, 0, 2);
  const double size =
      static_cast<double>(NetworkShape::uniform(options.depth, width).parameter_count());
  const double part = std::min(1.0, kReference / (size * size * effort.samples));
  const auto share = [part](int full, int least) {
    return std::max(std::min(full, least), static_cast<int>(std::lround(full * part)));
  };
  effort.starts = share(options.starts, 3);
  effort.first_hops = share(options.first_hops, 1);
  effort.last_hops = share(options.last_hops, 2);
  return effort;
}

/// Hops rarely lower an error by more than this.
constexpr double kHopeless = 30;
constexpr double kNoRival = std::numeric_limits<double>::infinity();

/// Deeper families have more pieces than polishing has samples.
constexpr int kDeepestPolish = 9;

class BestFit {
 public:
  /// `rival`: error of straight pieces on as many parameters. Raw weights that stay far behind it
  /// are given up, and not tried on noisy points that the pieces explain.
  BestFit(const Target& unit, const FitOptions& options, double rival = kNoRival)
      : unit_(unit),
        options_(options),
        rival_(rival),
        width_(family_width(std::max(options.fold, 2), 1)),
        effort_(plan_effort(options, width_)),
        samples_(unit.noise_variance > 0 ? bin_samples(unit.samples, effort_.samples)
                                         : guide_samples(unit, effort_.samples)),
        dense_(guide_samples(unit, kDensePoints)) {
    steps_ = effort_.starts * 3 + 3 * effort_.first_hops + effort_.last_hops;
  }

  Fit run() { return unit_.noise_variance > 0 ? noisy() : clean(); }

  /// Hops from a network of the same shape, or of fewer layers. No worse than the start.
  Fit from(const ReluNetwork& start) {
    std::vector<PolishedWeights> candidates(1);
    const auto first = polisher();
    candidates[0] = first->measured(WeightsModel::parameters_of(deepened(start, options_.depth)));
    hop(candidates, effort_.last_hops, 4);
    return {first->network(candidates[0]), std::nullopt, "best, polished weights"};
  }

 private:
  int fold_of(int start) const {
    if (options_.fold > 0) return options_.fold;
    const bool three_fit = 2 * std::pow(3, options_.depth) <= effort_.samples;
    return three_fit && start % 4 != 3 ? 3 : 2;
  }

  base::RandomStream stream(int purpose, int index) const {
    return {options_.seed, base::RandomPurpose::region,
            static_cast<std::uint32_t>(Method::best) * 16 + static_cast<std::uint32_t>(purpose),
            static_cast<std::uint32_t>(index)};
  }

  void advance(int steps) {
    const std::lock_guard lock(mutex_);
    done_ += steps;
    if (options_.progress) options_.progress(std::min(1.0, static_cast<double>(done_) / steps_));
  }

  std::unique_ptr<Polisher> polisher(double jitter = PolishOptions().jitter) const {
    PolishOptions options;
    options.jitter = jitter;
    return std::make_unique<Polisher>(
        samples_, dense_, NetworkShape::uniform(options_.depth, width_).widths, options);
  }

  FamilyFit family_start(int start) const {
    base::RandomStream random = stream(0, start);
    // The first start is close to the folding itself; the noise grows from .02 to .2.
    const double noise = 0.02 * std::pow(10.0, static_cast<double>(start) / effort_.starts);
    return fit_family(unit_.curve, samples_, options_.depth, fold_of(start), noise, random);
  }

  void hop(std::vector<PolishedWeights>& candidates, int hops, int purpose) {
    const auto count = static_cast<std::int64_t>(candidates.size());
    base::parallel_for(count, options_.threads, [&](std::int64_t index, int) {
      base::RandomStream random = stream(purpose, static_cast<int>(index));
      const auto polish = polisher();
      for (int h = 0; h < hops; ++h) {
        polish->hop(candidates[static_cast<std::size_t>(index)], 1, random);
        advance(1);
      }
    });
    sort(candidates);
  }

  void sort(std::vector<PolishedWeights>& candidates) const {
    const auto better = [](const PolishedWeights& a, const PolishedWeights& b) {
      return a.guarded != b.guarded ? a.guarded : a.error < b.error;
    };
    std::stable_sort(candidates.begin(), candidates.end(), better);
  }

  std::vector<PolishedWeights> polish_all(const std::vector<FamilyFit>& families) {
    std::vector<PolishedWeights> candidates(families.size());
    const auto count = static_cast<std::int64_t>(families.size());
    base::parallel_for(count, options_.threads, [&](std::int64_t index, int) {
      const auto at = static_cast<std::size_t>(index);
      base::RandomStream random = stream(1, static_cast<int>(index));
      // Functions that bend only in one corner need more noise to leave the kinks of the folding.
      const double jitter = index % 2 == 0 ? 3e-3 : 1e-2;
      candidates[at] = polisher(jitter)->polish(to_network(families[at].function), random);
      advance(3);
    });
    sort(candidates);
    if (candidates.size() > 3) candidates.resize(3);
    if (candidates.front().error > kHopeless * rival_) return candidates;
    hop(candidates, effort_.first_hops, 2);
    candidates.resize(1);
    hop(candidates, effort_.last_hops, 3);
    return candidates;
  }

  Fit clean() {
    std::vector<FamilyFit> families(static_cast<std::size_t>(effort_.starts));
    // Not in parallel: the guide may be a parser, which belongs to one thread.
    for (int start = 0; start < effort_.starts; ++start)
      families[static_cast<std::size_t>(start)] = family_start(start);
    const auto least =
        std::min_element(families.begin(), families.end(),
                         [](const FamilyFit& a, const FamilyFit& b) { return a.error < b.error; });
    if (options_.depth <= kDeepestPolish && least->error > kExact) {
      const PolishedWeights best = polish_all(families).front();
      if (best.guarded && best.error < least->error)
        return {polisher()->network(best), std::nullopt, "best, polished weights"};
    }
    drop_rounding(least->function);
    return {to_network(least->function, Ends::continued), least->function, "best, folded family"};
  }

  /// Mallows' C_p in units of y: the weighted sum of squares on the samples plus twice the noise
  /// that the parameters absorb.
  double penalised(double error, std::int64_t parameters) const {
    return error * samples_.total_weight() +
           2 * static_cast<double>(parameters) * unit_.noise_variance;
  }

  Fit noisy() {
    FamilyFit best;
    std::int64_t freedom = 0;
    double least = std::numeric_limits<double>::infinity();
    for (const int fold :
         options_.fold > 0 ? std::vector<int>{options_.fold} : std::vector<int>{2, 3}) {
      base::RandomStream random = stream(0, fold);
      FamilyFit fit = fit_family(unit_.curve, samples_, options_.depth, fold, 0, random);
      const std::int64_t parameters = 2 + 2 * std::int64_t{options_.depth} * (fold - 1);
      const double cost = penalised(fit.error, parameters);
      if (cost >= least) continue;
      freedom = parameters;
      least = cost;
      best = std::move(fit);
    }
    fit_linear_part(best.function, unit_.samples);
    const double bins = static_cast<double>(samples_.size());
    const double explained = unit_.noise_variance * (bins + 3 * std::sqrt(2 * bins));
    Fit fit{to_network(best.function, Ends::continued), best.function,
            "best, folded family fitted to noisy points", freedom};
    const double least_error = std::min(best.error, rival_) * samples_.total_weight();
    if (least_error <= explained || options_.depth > kDeepestPolish) return fit;
    const PolishedWeights polished = polish_all({best}).front();
    freedom = NetworkShape::uniform(options_.depth, width_).parameter_count() -
              std::int64_t{options_.depth} * width_;
    if (polished.guarded && penalised(polished.error, freedom) < least)
      fit = {polisher()->network(polished), std::nullopt, "best, weights polished on noisy points",
             freedom};
    return fit;
  }

  const Target& unit_;
  const FitOptions& options_;
  double rival_;
  std::int64_t width_;
  Effort effort_;
  Samples samples_, dense_;
  std::mutex mutex_;
  int done_ = 0, steps_ = 1;
};

}  // namespace

namespace {

constexpr int kReferenceDepth = 5;  // of the recipe

double error_at(const ReluNetwork& network, const Samples& samples) {
  std::vector<double> prediction(samples.x.size());
  network.evaluate(samples.x, prediction);
  return mean_squared_error(samples, prediction);
}

/// The narrow network in unit scale, no worse than that of the reference depth.
Fit deep_fit(const Target& unit, const FitOptions& options, double rival) {
  Fit fit = BestFit(unit, options, rival).run();
  const Samples judge = guide_samples(unit, kDensePoints);
  const double error = error_at(fit.network, judge);
  if (unit.truth && options.depth == kReferenceDepth && error > rival / 5 && error < 3 * rival) {
    FitOptions longer = options;
    longer.starts = 2 * options.starts;
    longer.first_hops = 5 * options.first_hops;
    longer.last_hops = 10 * options.last_hops;
    longer.progress = {};
    Fit again = BestFit(unit, longer, rival).run();
    if (error_at(again.network, judge) < error) fit = std::move(again);
  }
  if (options.depth <= kReferenceDepth || unit.noise_variance > 0) return fit;
  FitOptions shallow = options;
  shallow.depth = kReferenceDepth;
  shallow.progress = {};
  const Fit start = BestFit(unit, shallow, rival).run();
  Fit deeper = BestFit(unit, options).from(start.network);
  return error_at(deeper.network, judge) < error_at(fit.network, judge) ? deeper : fit;
}

Fit unscaled(Fit fit, const UnitScaling& scaling) {
  fit.network = scaling.unscaled(std::move(fit.network));
  if (fit.folded) fit.folded = scaling.unscaled(std::move(*fit.folded));
  return fit;
}

/// Straight pieces whose network has at most `parameters`; for noisy points the number that BIC
/// chooses.
PiecesFit competing_pieces(const Target& unit, std::int64_t parameters) {
  PiecesOptions options;
  options.most_pieces =
      static_cast<int>(std::clamp<std::int64_t>((parameters - 1) / 3, 1, determined_pieces(unit)));
  if (unit.noise_variance == 0) options.pieces = options.most_pieces;
  return fit_pieces(unit, options);
}

}  // namespace

Fit best_fit(const Target& target, const FitOptions& options) {
  const UnitScaling scaling(target);
  const Target unit = scaling.scaled(target);
  const std::int64_t width = family_width(std::max(options.fold, 2), 1);
  const PiecesFit pieces =
      competing_pieces(unit, NetworkShape::uniform(options.depth, width).parameter_count());
  const Samples judge =
      unit.truth ? even_samples(unit.truth, unit.interval, kDensePoints) : unit.samples;
  // The error, and for noisy points Mallows' C_p.
  const auto cost = [&](const Fit& fit) {
    return error_at(fit.network, judge) +
           2 * static_cast<double>(fit.freedom) * unit.noise_variance / judge.total_weight();
  };
  Fit fit = pieces.fit;
  if (error_at(fit.network, judge) > kExact) {
    // Noise in joined samples is less than in the points.
    const double rival = unit.noise_variance > 0
                             ? error_at(fit.network, bin_samples(unit.samples, 1000))
                             : error_at(fit.network, judge);
    Fit narrow = deep_fit(unit, options, rival);
    if (cost(narrow) < cost(fit)) fit = std::move(narrow);
  }
  if (options.continue_ends) fit.network = with_continued_ends(fit.network, unit.interval);
  if (options.progress) options.progress(1);
  return unscaled(std::move(fit), scaling);
}

Fit narrow_fit(const Target& target, const FitOptions& options) {
  const UnitScaling scaling(target);
  const Target unit = scaling.scaled(target);
  Fit fit = BestFit(unit, options).run();
  if (options.continue_ends) fit.network = with_continued_ends(fit.network, unit.interval);
  return unscaled(std::move(fit), scaling);
}

}  // namespace asap::region
